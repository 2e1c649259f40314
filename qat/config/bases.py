"""Compose each choice of files once, and set single keys on a copy of the result.

Hydra reads and merges about forty files for each configuration, which takes a third of a second.
The points of a sweep mostly choose the same files and differ only in single keys.
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

from qat.config.hydra_private import ConfigLoaderImpl
from qat.config.our_groups import Loaded, compose_ours
from qat.config.yaml_files import ROOT_CONFIG, groups, roots

KEPT = 64
"""Number of compositions that one process keeps."""

FileTimes = tuple[tuple[str, int], ...]
"""``(path, time of the last change in nanoseconds)`` of each YAML file."""
_compositions: dict[tuple[FileTimes, tuple[str, ...]], DictConfig] = {}
_loaded: dict[FileTimes, Loaded] = {}
"""The present files of groups."""


class Bases:
    """Composes overrides from the present YAML files.

    Use it inside of :func:`qat.config.compose.composer`.

    Args:
        extra_dir: Folder of the user's YAML; None if there is none.
    """

    def __init__(self, extra_dir: Path | None) -> None:
        self.extra_dir = extra_dir
        self._groups = frozenset(groups(extra_dir))
        paths = (path for root in roots(extra_dir) for path in root.rglob("*.yaml"))
        self._file_times = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in paths))

    def compose(self, words: Sequence[str]) -> DictConfig:
        """The configuration that Hydra composes from overrides, none of them a sweep.

        Raises:
            HydraException: If they do not compose.
            OmegaConfBaseException: If a value does not fit the schema.
        """
        loader = GlobalHydra.instance().config_loader()
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
        settings = [override for override in parsed if self._sets_a_key(override)]
        others = [override for override in parsed if override not in settings]
        if any(_order_matters(setting, other) for setting in settings for other in others):
            return compose(ROOT_CONFIG, overrides=list(words))
        config = copy.deepcopy(self._base(tuple(str(override.input_line) for override in others)))
        try:
            for override in settings:
                OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException:
            return compose(ROOT_CONFIG, overrides=list(words))  # for Hydra's own message
        return config

    def _base(self, words: tuple[str, ...]) -> DictConfig:
        key = self._file_times, words
        if key not in _compositions:
            while len(_compositions) >= KEPT:
                del _compositions[next(iter(_compositions))]
            _compositions[key] = self._composed(words)
        return _compositions[key]

    def _composed(self, words: tuple[str, ...]) -> DictConfig:
        if self._file_times not in _loaded:
            _loaded.clear()
            _loaded[self._file_times] = {}
        loader = GlobalHydra.instance().config_loader()
        assert isinstance(loader, ConfigLoaderImpl)
        try:
            return compose_ours(loader, words, _loaded[self._file_times])
        except Exception:  # for Hydra's own message, or for what Hydra alone composes
            return compose(ROOT_CONFIG, overrides=list(words))

    def _sets_a_key(self, override: Override) -> bool:
        """True for ``KEY=VALUE`` where the key is neither a group of files nor one of Hydra's."""
        key = override.key_or_group
        ours = key not in self._groups and "/" not in key and not key.startswith("hydra.")
        single = override.type == OverrideType.CHANGE and not override.is_sweep_override()
        return ours and single and override.package is None


def _order_matters(setting: Override, other: Override) -> bool:
    """Whether the other adds or deletes a key above or below the key of the setting."""
    first, second = f"{setting.key_or_group}.", f"{other.key_or_group}."
    near = first.startswith(second) or second.startswith(first)
    return near and other.type != OverrideType.CHANGE
