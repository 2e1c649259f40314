"""scheme.plan: the modes that take a plan, and the keys that it makes unread."""

import pytest

from qat.base.errors import InputError
from qat.config.checks.plan import check_plan, unread_with_plan
from qat.config.schema import RunConfig


def config(mode="static", plan="net.plan.json"):
    one = RunConfig(mode=mode)
    one.scheme.plan = plan
    return one


@pytest.mark.parametrize("mode", ["static", "qat", "float"])
def test_modes_that_take_a_plan(mode):
    check_plan(config(mode))


@pytest.mark.parametrize("mode", ["mixed", "dynamic"])
def test_modes_that_decide_themselves_are_refused(mode):
    with pytest.raises(InputError, match=rf"mode={mode} .*: use mode=static or qat"):
        check_plan(config(mode))
    check_plan(config(mode, plan=None))


def test_a_training_at_other_widths_is_refused():
    one = config("qat")
    one.aids.progressive_bits = [4]
    with pytest.raises(InputError, match=r"aids.progressive_bits trains at other widths"):
        check_plan(one)


@pytest.mark.parametrize(
    ("key", "is_read"),
    [
        ("placement", True),
        ("plan", True),
        ("weight.quantizer", True),
        ("act.observer_options.momentum", True),
        ("weight.options.start", True),
        ("weight.bits", False),
        ("act.symmetric", False),
        ("first_last", False),
        ("rules", False),
    ],
)
def test_the_plan_has_the_formats_and_the_scheme_the_methods(key, is_read):
    assert (unread_with_plan(key, config()) is None) == is_read
    assert unread_with_plan(key, config(plan=None)) is None
