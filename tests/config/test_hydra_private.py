"""What is used of Hydra's own insides has the form that it was read in."""

import inspect

import hydra
import pytest

from qat.config import hydra_private

FORMS = {
    "BasicSweeper.split_arguments": ["overrides", "max_batch_size"],
    "Callbacks.__init__": ["self", "config"],
    "ConfigLoaderImpl._apply_overrides_to_config": ["overrides", "cfg"],
    "ConfigLoaderImpl._compose_config_from_defaults_list": ["self", "defaults", "repo"],
    "Hydra.create_main_hydra2": ["task_name", "config_search_path"],
    "IConfigRepository.load_config": ["self", "config_path"],
    "create_config_search_path": ["search_path_dir"],
    "create_defaults_list": [
        *("repo", "config_name", "overrides_list", "prepend_hydra", "skip_missing"),
    ],
    "get_args_parser": [],
}


def test_it_is_the_version_that_was_read():
    assert hydra.__version__.startswith(f"{hydra_private.READ_IN}."), (
        "read qat/config/hydra_private.py against this version"
    )


@pytest.mark.parametrize("name", FORMS)
def test_each_takes_what_it_took(name):
    found = hydra_private
    for part in name.split("."):
        found = getattr(found, part)
    assert list(inspect.signature(found).parameters) == FORMS[name]


def test_a_composition_takes_words_and_a_mode():
    parameters = list(inspect.signature(hydra_private.Hydra.compose_config).parameters)
    assert parameters[:5] == [
        *("self", "config_name", "overrides", "run_mode", "with_log_configuration"),
    ]
