"""Code of the user's own by name: ``package.module:name`` is the one door to it."""

import importlib
import sys
from pathlib import Path
from typing import Any

from qat.base.errors import InputError


def load_target(target: str, key: str = "target") -> Any:
    """Import what ``package.module:name`` names; the current folder is searched too.

    Whatever the user's module raises itself while it is imported stays what it is: it is no wrong
    name.

    Args:
        target: What to import.
        key: What the user calls it, for messages.

    Raises:
        ValueError: If the text is not of that form, or names nothing that can be imported.
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
