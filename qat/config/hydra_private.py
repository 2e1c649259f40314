"""Parts of Hydra that it does not promise to keep, all in this file.

Read in hydra-core 1.3; a test holds their signatures. What they are for has no public way: the
user's YAML before ours on the search path, Hydra's flags without Hydra's own complaint, a grid's
points before any of them is started, and a launcher outside of Hydra's sweep.
"""

from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser

READ_IN = "1.3"

__all__ = [
    "READ_IN",
    "BasicSweeper",
    "Callbacks",
    "Hydra",
    "create_config_search_path",
    "get_args_parser",
]
