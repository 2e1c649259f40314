"""Plans: JSON and back, versions, changes of single layers."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from qat.base.errors import InputError
from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.scheme import Method, TensorSpec

USER = Method("user", "my.module:Mine", {"momentum": 0.5})


@pytest.fixture
def plan():
    weight = TensorSpec(bits=3, signed=True, granularity="group", group_size=4, quantizer=USER)
    act = TensorSpec(bits=5, signed=False, symmetric=False, observer=Method("percentile"))
    layers = {
        "a.conv": LayerPlan("a.conv", "Conv2d", weight, act),
        "fc": LayerPlan("fc", "Linear", weight, act.but(format="fp16"), output=act),
    }
    return Plan(layers, left_float=(("up", "ConvTranspose2d"),))


def test_a_plan_survives_json_and_its_file(plan, tmp_path):
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    plan.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == plan


@pytest.fixture
def integer_plan(plan):
    spec = TensorSpec(bits=5, signed=False, symmetric=False)
    tensors = {
        "fc": TensorPlan("fc", "linear", spec),
        "a.add": TensorPlan("a.add", "add", spec.but(bits=8), shares="fc"),
    }
    return replace(plan, placement="integer", tensors=tensors)


def test_tensors_between_layers_survive_json_in_their_order(integer_plan):
    data = json.loads(json.dumps(integer_plan.to_dict()))
    assert Plan.from_dict(data) == integer_plan
    assert list(Plan.from_dict(data).tensors) == ["fc", "a.add"]
    assert data["tensors"]["a.add"]["shares"] == "fc"


def test_only_a_plan_with_tensors_needs_the_newer_version(plan, integer_plan):
    assert plan.to_dict()["version"] == 1
    assert "tensors" not in plan.to_dict()
    assert integer_plan.to_dict()["version"] == 2


def test_a_change_of_a_layer_keeps_the_tensors(integer_plan):
    assert integer_plan.change("fc", kind="Conv2d").tensors == integer_plan.tensors


@pytest.mark.parametrize("part", ["kind", "spec", "shares"])
def test_a_missing_part_of_a_tensor_is_named(integer_plan, part):
    data = integer_plan.to_dict()
    del data["tensors"]["fc"][part]
    with pytest.raises(ValueError, match=f"not a plan: '{part}'"):
        Plan.from_dict(data)


def test_order_of_layers_is_kept(plan):
    assert list(Plan.from_dict(plan.to_dict()).layers) == ["a.conv", "fc"]


def test_a_change_leaves_the_rest_and_the_original(plan):
    changed = plan.change("fc", weight=TensorSpec(bits=8))
    assert changed.layers["fc"].weight.bits == 8
    assert changed.layers["a.conv"] == plan.layers["a.conv"]
    assert plan.layers["fc"].weight.bits == 3
    with pytest.raises(KeyError, match=r"no layer 'nowhere' in the plan; it has a.conv, fc"):
        plan.change("nowhere")


@pytest.mark.parametrize("damage", [{"version": 99}, {"version": None}])
def test_another_version_is_refused(plan, damage):
    with pytest.raises(ValueError, match="plan version must be 1 or 2"):
        Plan.from_dict(plan.to_dict() | damage)


@pytest.mark.parametrize("part", ["layers", "left_float", "placement"])
def test_a_missing_part_is_named(plan, part):
    data = plan.to_dict()
    del data[part]
    with pytest.raises(ValueError, match=f"not a plan: '{part}'"):
        Plan.from_dict(data)


def test_a_plan_survives_a_frame_and_a_csv_file(plan, integer_plan, tmp_path):
    for one in (plan, replace(integer_plan, ends=("a.conv", "up"))):
        frame = one.to_frame()
        assert Plan.from_frame(frame) == one
        assert Plan.from_frame(frame).ends == one.ends
    simple = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(bits=4, signed=True), TensorSpec())})
    simple = replace(simple, left_float=(("up", "ConvTranspose2d"),))
    simple.to_frame().to_csv(tmp_path / "plan.csv", index=False)
    assert Plan.from_frame(pd.read_csv(tmp_path / "plan.csv")) == simple


def test_widths_are_changed_in_a_frame(plan):
    frame = plan.to_frame()
    frame.loc[frame.slot == "weight", "bits"] = 2
    assert [layer.weight.bits for layer in Plan.from_frame(frame).layers.values()] == [2, 2]
    frame.loc[0, "bits"] = 17
    with pytest.raises(InputError, match="bits must be 2 to 16"):
        Plan.from_frame(frame)


def test_a_plan_is_shown_as_a_table(plan):
    class Printer:
        text = shown = staticmethod(lambda text: setattr(Printer, "shown", text))

    plan._repr_pretty_(Printer, False)
    assert str(plan) == Printer.shown
    assert str(plan).splitlines()[1].startswith("a.conv  Conv2d")
    assert plan._repr_html_().startswith("<table>")
