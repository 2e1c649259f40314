"""The default configuration, and copies of it in which some keys differ."""

import copy

import pytest

from qat.config.compose import compose_points


@pytest.fixture(scope="session")
def composed_defaults():
    """Composed once: it takes a while."""
    (point,) = compose_points([], multirun=False)
    return point.config


@pytest.fixture
def config(composed_defaults):
    """A copy of the defaults; arguments change keys in full, ``config({"scheme.act.bits": 4})``."""

    def changed(keys=None, **top):
        copied = copy.deepcopy(composed_defaults)
        for key, value in {**(keys or {}), **top}.items():
            *parents, name = key.split(".")
            owner = copied
            for parent in parents:
                owner = getattr(owner, parent)
            assert hasattr(owner, name), key
            setattr(owner, name, value)
        return copied

    return changed
