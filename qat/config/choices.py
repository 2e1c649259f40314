"""The values that a key takes, if they can be listed."""

from pathlib import Path

from qat.config.checks.combinations import KERNELS, MODES, PLACEMENTS, SOURCES
from qat.config.checks.number_formats import NUMBER_FORMATS
from qat.config.keys import SLOTS, choosable, key_types
from qat.config.yaml_files import options
from qat.data.names import TORCHVISION_DATA
from qat.models.names import MEMORY_FORMATS, torchvision_names
from qat.training.specs import ACCELERATORS, COMPILES, KEEPS, PRECISIONS

_SLOT_CHOICES = {
    "granularity": ("tensor", "channel", "group"),
    "format": NUMBER_FORMATS,
    "scale": ("free", "power_of_two"),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "mode": MODES,
    "kernel": KERNELS,
    "scale": ("smoke", "quick", "paper"),
    "model.source": SOURCES,
    "mixed.then": ("static", "qat"),
    "scheme.placement": PLACEMENTS,
    "scheme.first_last": ("8", "float", "fp16", "same"),
    "trainer.compile": COMPILES,
    "trainer.memory_format": MEMORY_FORMATS,
    **{f"{part}.accelerator": ACCELERATORS for part in ("trainer", "float")},
    **{f"{part}.precision": PRECISIONS for part in ("trainer", "float")},
    **{f"{part}.keep": KEEPS for part in ("trainer", "float")},
    **{f"{slot}.{name}": c for slot in SLOTS for name, c in _SLOT_CHOICES.items()},
}
"""Key → the values that it takes, of keys that are not groups."""


def choices(key: str, extra_dir: Path | None = None) -> list[str]:
    """The values that can follow ``KEY=``; empty where numbers or any text can.

    Args:
        key: A key in full, or a group of files.
        extra_dir: Folder of the user's YAML; None if there is none.

    Example:
        >>> choices("mode")
        ['float', 'dynamic', 'static', 'qat', 'mixed']
    """
    if key in CHOICES:
        return list(CHOICES[key])
    if key == "data.name":
        return list(TORCHVISION_DATA)
    if key == "model.name":
        return list(torchvision_names())
    if key_types().get(key) is bool or str(key_types().get(key)) == "bool | None":
        return ["true", "false"]
    if key not in choosable(extra_dir):
        return []
    names = options(key.partition("@")[0], extra_dir)
    return [*names, *(torchvision_names() if key == "model" else ())]
