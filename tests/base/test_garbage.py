"""The search for cycles, put off and taken up again."""

import gc
import weakref

import pytest

from qat.base.garbage import keep_objects, loading_modules, no_cycle_search


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


def test_what_was_loaded_is_left_out_of_later_searches():
    kept = []
    try:
        with loading_modules():
            kept.append([])
            assert not gc.isenabled()
        assert gc.isenabled()
        assert not any(each is kept for each in gc.get_objects())  # the frozen ones are not listed
    finally:
        gc.unfreeze()


class Ring:
    """An object that only a search for unreachable objects can delete."""

    def __init__(self):
        self.itself = self


@pytest.mark.slow
def test_unreachable_objects_are_deleted_and_all_others_left_out_of_later_searches():
    lost, kept = weakref.ref(Ring()), Ring()
    try:
        keep_objects()
        assert lost() is None
        assert not any(each is kept for each in gc.get_objects())  # the frozen ones are not listed
        later = weakref.ref(Ring())
        gc.collect()
        assert later() is None
    finally:
        gc.unfreeze()
