"""The search for cycles, put off and taken up again."""

import gc

import pytest

from qat.base.garbage import no_cycle_search


def test_it_is_off_inside_and_on_again_after_an_error():
    seen = []

    def fail():
        with no_cycle_search():
            seen.append(gc.isenabled())
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert seen == [False]
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off():
    gc.disable()
    try:
        with no_cycle_search():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
