"""Classes of the user's own, named as ``package.module:Class``: the one door to foreign code."""

import importlib
import sys
from pathlib import Path
from typing import Any


def load_target(target: str) -> Any:
    """Import what ``package.module:name`` names; the current folder is searched too.

    Raises:
        ValueError: If the text is not of that form, or names nothing that can be imported.
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise ValueError(f"target must be package.module:name, got {target!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ImportError as error:
        raise ValueError(f"target {target!r}: {error}; is it installed, or in {here}?") from error
    except AttributeError as error:
        raise ValueError(f"target {target!r}: {module_name} has no {attribute!r}") from error
