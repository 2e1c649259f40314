"""Compose what choices of files make once; settings of single keys are then made on a copy of it.

Hydra reads and merges some forty files for each configuration, which takes a third of a second, and
the points of a sweep mostly differ in keys alone.
"""

import copy
from collections.abc import Sequence
from pathlib import Path

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qat.config.yaml_files import ROOT_CONFIG, groups, roots

KEPT = 64
"""Compositions that one process keeps."""

Stamp = tuple[tuple[str, int], ...]
_compositions: dict[tuple[Stamp, tuple[str, ...]], DictConfig] = {}


class Bases:
    """Composes overrides from the YAML files as they are now; needs a composer around it.

    Args:
        extra_dir: Folder of the user's YAML.
    """

    def __init__(self, extra_dir: Path | None) -> None:
        self._groups = frozenset(groups(extra_dir))
        paths = (path for root in roots(extra_dir) for path in root.rglob("*.yaml"))
        self._stamp = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in paths))

    def compose(self, words: Sequence[str]) -> DictConfig:
        """What Hydra composes from overrides, none of them a sweep.

        Raises:
            HydraException: If they do not compose.
        """
        loader = GlobalHydra.instance().config_loader()
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
        settings = [override for override in parsed if self._sets_a_key(override)]
        rest = [override for override in parsed if override not in settings]
        if any(_meet(one, other) for one in settings for other in rest):
            return compose(ROOT_CONFIG, overrides=list(words))
        config = copy.deepcopy(self._base(tuple(str(override.input_line) for override in rest)))
        try:
            for override in settings:
                OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException:
            return compose(ROOT_CONFIG, overrides=list(words))  # for Hydra's own message
        return config

    def _base(self, words: tuple[str, ...]) -> DictConfig:
        key = self._stamp, words
        if key not in _compositions:
            while len(_compositions) >= KEPT:
                del _compositions[next(iter(_compositions))]
            _compositions[key] = compose(ROOT_CONFIG, overrides=list(words))
        return _compositions[key]

    def _sets_a_key(self, override: Override) -> bool:
        """True for ``KEY=VALUE`` where the key is no group of files and none of Hydra's."""
        key = override.key_or_group
        ours = key not in self._groups and "/" not in key and not key.startswith("hydra.")
        single = override.type == OverrideType.CHANGE and not override.is_sweep_override()
        return ours and single and override.package is None


def _meet(one: Override, other: Override) -> bool:
    """Whether the other adds or deletes around the key of the one, so that their order matters."""
    first, second = f"{one.key_or_group}.", f"{other.key_or_group}."
    near = first.startswith(second) or second.startswith(first)
    return near and other.type != OverrideType.CHANGE
