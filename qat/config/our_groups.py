"""Compose as Hydra does, without Hydra's own configuration, and load each file of a group once.

A third of the files that Hydra composes are of ``hydra``, which is deleted from the result. What is
not ours alone (words, searchpaths and defaults of ``hydra``, and what is wrong) is left to Hydra.
"""

from collections.abc import Sequence

from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf, open_dict

from qat.config.hydra_private import ConfigLoaderImpl, IConfigRepository, create_defaults_list
from qat.config.yaml_files import ROOT_CONFIG

Loaded = dict[str, ConfigResult]
"""Path of a file inside the folders of YAML, such as ``scheme/w4a4`` → what is in it."""
_HYDRA = "hydra"


class NotOursError(Exception):
    """Hydra itself is needed."""


def compose_ours(loader: ConfigLoaderImpl, words: Sequence[str], kept: Loaded) -> DictConfig:
    """The configuration of overrides, equal to ``hydra.compose``.

    Args:
        loader: Hydra's own.
        words: Overrides, none of them a sweep.
        kept: Files that were loaded before and have not changed; more are added.

    Raises:
        NotOursError: If words or files choose parts of Hydra's own configuration.
        HydraException: If they do not compose, or set keys of Hydra's own configuration.
    """
    overrides = OverridesParser.create().parse_overrides(overrides=list(words))
    if any(override.is_sweep_override() or _is_hydras(override) for override in overrides):
        raise NotOursError
    files = _Files(loader.repository, kept)
    chosen = create_defaults_list(files, ROOT_CONFIG, overrides, False, skip_missing=False)
    config: DictConfig = loader._compose_config_from_defaults_list(chosen.defaults, files)
    OmegaConf.set_struct(config, True)
    loader._apply_overrides_to_config(chosen.config_overrides, config)
    inside = {default.config_path for default in chosen.defaults if default.package}
    kept.update({path: one for path, one in files.loaded.items() if "/" in path and path in inside})
    return config


def _is_hydras(override: Override) -> bool:
    return override.key_or_group.partition(".")[0].partition("/")[0] == _HYDRA


class _Files(IConfigRepository):
    """The files of a composition. Only what is merged below the top is kept: it is copied then."""

    def __init__(self, every: IConfigRepository, kept: Loaded) -> None:
        self._every, self.loaded = every, dict(kept)

    def load_config(self, config_path: str) -> ConfigResult | None:
        if config_path not in self.loaded:
            result = self._every.load_config(config_path)
            if result is None:
                return None
            if config_path == ROOT_CONFIG:
                _without_hydra(result)
            self.loaded[config_path] = result
        return self.loaded[config_path]

    def get_schema_source(self) -> ConfigSource:
        return self._every.get_schema_source()

    def initialize_sources(self, config_search_path: object) -> None:
        raise NotOursError

    def group_exists(self, config_path: str) -> bool:
        return self._every.group_exists(config_path)

    def config_exists(self, config_path: str) -> bool:
        return self._every.config_exists(config_path)

    def get_sources(self) -> list[ConfigSource]:
        return self._every.get_sources()

    def get_group_options(
        self, group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG
    ) -> list[str]:
        return self._every.get_group_options(group_name, results_filter)


def _without_hydra(result: ConfigResult) -> None:
    """Remove what a file says of Hydra's own configuration."""
    if OmegaConf.select(result.config, "hydra.searchpath") is not None:
        raise NotOursError
    assert isinstance(result.config, DictConfig)
    with open_dict(result.config):
        result.config.pop(_HYDRA, None)
    result.defaults_list = [
        default
        for default in result.defaults_list or []
        if not str(getattr(default, "group", "")).startswith(f"{_HYDRA}/")
    ]
