"""The private parts of Hydra that the project uses; no other file imports private parts.

They may change with any version of hydra-core. A test checks their signatures against those of
version 1.3. Hydra has no public way to put the user's YAML before ours on the search path, to
parse its flags without its own error messages, to list the points of a grid before the first one
starts, to use a launcher outside of its own sweep, or to compose without its own configuration.

With hydra-core 1.4.0rc3 and OmegaConf 2.4.1rc1, tried on 2026-11-26, runs and sweeps work and only
the test of the version fails; ``version_base`` of ``hydra.main`` warns that Hydra 1.5 removes it.
"""

from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.defaults_list import create_defaults_list
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser

READ_IN = "1.3"
"""Version whose source these parts were read in."""

__all__ = [
    "READ_IN",
    "BasicSweeper",
    "Callbacks",
    "ConfigLoaderImpl",
    "Hydra",
    "IConfigRepository",
    "create_config_search_path",
    "create_defaults_list",
    "get_args_parser",
]
