"""How the memory of a run is planned."""

import pytest

from qat.run.memory.request import memory_request


@pytest.mark.parametrize(
    ("mode", "changes", "optimizer"),
    [
        ("qat", {}, "sgd_momentum"),
        ("qat", {"optimizer__momentum": 0.0}, "sgd"),
        ("qat", {"optimizer__name": "adamw", "optimizer__momentum": 0.0}, "adamw"),
        ("float", {"float__optimizer__momentum": 0.0}, "sgd"),
        ("float", {"optimizer__momentum": 0.0}, "sgd_momentum"),
        ("qat", {"memory__optimizer": "adam"}, "adam"),
    ],
)
def test_the_state_of_the_runs_optimizer_counts_by_default(make_config, mode, changes, optimizer):
    assert memory_request(make_config(mode, **changes)).optimizer == optimizer


def test_settings_are_those_of_the_group(make_config):
    config = make_config(memory__batch=4, tracking__figures=True)
    request = memory_request(config)
    assert (request.settings.batch, request.draws_figures) == (4, True)
