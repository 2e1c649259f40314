"""Names of networks, read without importing torch."""

import difflib
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from qat.base.errors import InputError, UnknownNameError

BLOCKS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9}
"""CIFAR ResNet → blocks in each of its three stages."""
BUILTIN = ("simple_cnn", *BLOCKS)
MEMORY_FORMATS = ("auto", "channels_last", "contiguous")
# In torchvision's sources: @register_model() above `def name(`, or @register_model(name="...").
# In timm's sources: @register_model above `def name(`.
_REGISTERED = re.compile(
    r"^@register_model(?:\((?:name=\"(\w+)\")?\))?\n(?:@.*\n)*def (\w+)\(", re.M
)


@lru_cache(maxsize=1)
def torchvision_names() -> tuple[str, ...]:
    """Names of torchvision's classifiers, sorted; read from its source files, without torch."""
    spec = find_spec("torchvision")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    files = [path for folder in folders for path in Path(folder, "models").glob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return tuple(sorted(a or b for text in texts for a, b in _REGISTERED.findall(text)))


@lru_cache(maxsize=1)
def timm_names() -> tuple[str, ...]:
    """Names of timm's architectures, sorted; read from its source files, without torch.

    Empty if timm is not installed.
    """
    spec = find_spec("timm")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    files = [path for folder in folders for path in Path(folder, "models").glob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return tuple(sorted({b for text in texts for _, b in _REGISTERED.findall(text)}))


def check_timm_name(name: str) -> None:
    """Refuse a name that is not a network of timm, with or without a tag of its weights.

    Raises:
        InputError: If timm is not installed.
        UnknownNameError: If there is no such network; the message suggests similar names.
    """
    known, architecture = timm_names(), name.partition(".")[0]
    if not known:
        raise InputError("model=timm: timm is not installed: pip install 'qatlab[timm]'")
    if architecture not in known:
        near = ", ".join(difflib.get_close_matches(architecture, known, n=3)) or "resnet18"
        raise UnknownNameError(f"timm has no network {architecture!r}; similar names: {near}")


def check_torchvision_name(name: str) -> None:
    """Refuse a name that is not a classifier of torchvision.

    Raises:
        UnknownNameError: If there is none; the message suggests similar names.
    """
    known = torchvision_names()
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, n=3)) or "resnet18"
        raise UnknownNameError(f"torchvision has no classifier {name!r}; similar names: {near}")
