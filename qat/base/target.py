"""Import the user's own code by name, ``package.module:name``; no other setting loads code."""

import importlib
import sys
from pathlib import Path
from typing import Any

from qat.base.errors import InputError


def load_target(target: str, key: str = "target") -> Any:
    """Import the object ``package.module:name``; the current folder is searched too.

    An error that the user's module raises while it is imported is passed on unchanged.

    Args:
        target: What to import.
        key: The setting that holds it, for messages.

    Raises:
        InputError: If the text does not have that form, or nothing of that name can be imported.

    Example:
        >>> load_target("fractions:Fraction")(1, 3)
        Fraction(1, 3)
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise InputError(f"{key} must be package.module:name, got {target!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"{key}={target}: {error}; is it installed, or in {here}?") from error
    if not hasattr(module, attribute):
        raise InputError(f"{key}={target}: {module_name} has no {attribute!r}")
    return getattr(module, attribute)
