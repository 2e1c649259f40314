"""Checks that wait for nothing on a GPU, and raise the same errors."""

import pytest
import torch

from qat.core import checks
from qat.core.checks import Pending, naming, require

GOOD, BAD = torch.tensor([True, True]), torch.tensor([True, False])


def fail_after(passed, message):
    require(passed, message)
    raise KeyError


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(checks, "is_immediate", lambda device: False)


def test_a_check_is_immediate_outside_of_a_collection(as_on_a_gpu):
    require(GOOD, "unused")
    with pytest.raises(ValueError, match=r"^a step must be above 0$"):
        require(BAD, "a step must be above 0")


def test_a_check_on_the_cpu_is_immediate_everywhere():
    pending = Pending()
    with pending.collecting(), pytest.raises(ValueError, match="first"):
        require(BAD, "first")
    pending.read()


def test_collected_checks_raise_when_they_are_read(as_on_a_gpu):
    pending = Pending()
    with pending.collecting():
        require(GOOD, "zeroth")
        require(GOOD, "first")
        require(BAD, "second")
        require(BAD, "first")  # of equal message, so at the place of the first one
    with pytest.raises(ValueError, match=r"^first$"):
        pending.read()
    pending.read()  # they are read once


def test_collections_nest_and_end_with_an_error(as_on_a_gpu):
    outer, inner = Pending(), Pending()
    with outer.collecting():
        with pytest.raises(KeyError), inner.collecting():
            fail_after(BAD, "inner")
        require(BAD, "outer")
    with pytest.raises(ValueError, match="inner"):
        inner.read()
    with pytest.raises(ValueError, match="outer"):
        outer.read()
    with pytest.raises(ValueError, match="now"):
        require(BAD, "now")


def test_a_message_begins_with_the_name_of_the_tensor(as_on_a_gpu):
    with pytest.raises(ValueError, match=r"^conv1: too small$"), naming("conv1"):
        require(BAD, "too small")
    pending = Pending()
    with pending.collecting(), naming("conv1"):
        require(BAD, "too small")
    with pytest.raises(ValueError, match=r"^conv1: too small$"):
        pending.read()


def test_noting_reads_nothing():
    """A tensor of the meta device has no values: to read one is an error."""
    pending = Pending()
    with pending.collecting():
        require(torch.zeros(3, device="meta") > 0, "a step must be above 0")
    assert [passed.device.type for passed in pending._passed.values()] == ["meta"]
