"""Plans with ranges as files."""

import json

import pytest

from qat.base.errors import InputError
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec

PLAN = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(signed=True), TensorSpec(signed=False))})
HELD = HeldPlan(PLAN, {"fc.weight": HeldRange((0.1, 0.7), (0, 3))}, "net.onnx", ("x",), ("fc.act",))


def test_a_plan_survives_its_file(tmp_path):
    HELD.save(tmp_path / "plan.json")
    assert HeldPlan.load(tmp_path / "plan.json") == HELD


def test_scales_survive_in_every_bit(tmp_path):
    """A float32 is a float of Python, and JSON has all its digits."""
    scale = 0.0123456789012345678
    HeldPlan(PLAN, {"fc.act": HeldRange((scale,), (0,))}).save(tmp_path / "p.json")
    assert HeldPlan.load(tmp_path / "p.json").ranges["fc.act"].scale == (scale,)


def test_the_plan_of_a_run_is_a_plan_without_ranges(tmp_path):
    PLAN.save(tmp_path / "plan.json")
    assert HeldPlan.load(tmp_path / "plan.json") == HeldPlan(PLAN)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), "1", None, True])
def test_a_wrong_scale_is_refused(scale):
    with pytest.raises(InputError, match=r"a scale must be a finite number above 0"):
        HeldRange((0.5, scale), (0, 0))


def test_a_wrong_zero_point_is_refused():
    with pytest.raises(InputError, match=r"a zero point must be an integer, got 0.5"):
        HeldRange((0.5,), (0.5,))
    with pytest.raises(InputError, match=r"2 scales and 1 zero point "):
        HeldRange((0.5, 0.5), (0,))
    with pytest.raises(InputError, match=r"a scale must be"):
        HeldRange((), ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not JSON"),
        ("[]", "it is not a plan"),
        ("{}", "it is not a plan"),
        (json.dumps(HELD.to_dict() | {"held_plan_version": 2}), "its version must be 1, got 2"),
        (json.dumps(HELD.to_dict() | {"ranges": []}), "it is not a plan"),
        (json.dumps(HELD.to_dict() | {"plan": {}}), "plan version must be"),
        (
            json.dumps(HELD.to_dict() | {"ranges": {"fc.act": {"scale": [0], "zero_point": [0]}}}),
            "fc.act: a scale must be",
        ),
        (json.dumps(HELD.to_dict()).replace("0.1", "NaN"), "NaN is not JSON"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content, reason):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(InputError, match=reason) as error:
        HeldPlan.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "give a file that `qat import` wrote" in str(error.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"No such file"):
        HeldPlan.load(tmp_path / "none.json")
