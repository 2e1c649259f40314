"""A plan as rows and back: nothing is lost, and what is wrong is named."""

import pytest

from qat.base.errors import InputError
from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.plan_rows import COLUMNS, plan_data, plan_rows
from qat.core.scheme import Method, TensorSpec

USER = Method("user", "my.module:Mine", {"momentum": 0.5})
WEIGHT = TensorSpec(bits=3, signed=True, granularity="group", group_size=4, quantizer=USER)
ACT = TensorSpec(bits=5, signed=False, symmetric=False, observer=Method("percentile"))
PLAN = Plan(
    {
        "conv": LayerPlan("conv", "Conv2d", WEIGHT, ACT),
        "fc": LayerPlan("fc", "Linear", WEIGHT, ACT.but(format="fp16"), output=ACT),
    },
    left_float=(("up", "ConvTranspose2d"), ("head", "Linear")),
    placement="integer",
    tensors={
        "conv": TensorPlan("conv", "conv2d", ACT),
        "add": TensorPlan("add", "add", ACT, "conv"),
    },
    ends=("conv", "head"),
)


def test_each_tensor_has_a_row():
    rows = plan_rows(PLAN.to_dict())
    assert [(row["name"], row["slot"]) for row in rows] == [
        *(("conv", "weight"), ("conv", "act")),
        *(("fc", "weight"), ("fc", "act"), ("fc", "output")),
        *(("conv", "tensor"), ("add", "tensor"), ("up", "float"), ("head", "float")),
    ]
    assert rows[0] | {"bits": 3, "group_size": 4, "quantizer": "user", "end": "first"} == rows[0]
    assert (rows[6]["shares"], rows[8]["end"]) == ("conv", "last")
    assert all(row["placement"] == "integer" for row in rows)
    assert {key for row in rows for key in row} <= set(COLUMNS)


def test_rows_make_the_plan_again():
    data = plan_data(plan_rows(PLAN.to_dict()))
    plan = Plan.from_dict({"version": 2, **data})
    assert plan == PLAN
    assert plan.ends == PLAN.ends
    one = Plan({"fc": LayerPlan("fc", "Linear", WEIGHT, ACT)}, ends=("fc", "fc"))
    assert plan_data(plan_rows(one.to_dict()))["ends"] == ["fc", "fc"]


def test_absent_fields_have_their_defaults():
    row = {"name": "fc", "slot": "weight", "kind": "Linear", "bits": 4.0}
    data = plan_data([row, row | {"slot": "act", "bits": None}])
    layer = Plan.from_dict({"version": 1, **data}).layers["fc"]
    assert (layer.weight, layer.act) == (TensorSpec(bits=4), TensorSpec())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bitz": 4}, "a plan has no column bitz; it has name, slot, kind, format, bits"),
        ({"slot": "weights"}, "slot must be one of weight, act, output, tensor, float"),
        ({"name": None}, "each row of a plan needs a name, got None"),
        ({"quantizer_options": "x"}, "quantizer_options must be a mapping, got 'x'"),
    ],
)
def test_a_wrong_row_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        plan_data([{"name": "fc", "slot": "weight", "kind": "Linear"} | changes])


def test_two_placements_are_refused():
    rows = plan_rows(PLAN.to_dict())
    with pytest.raises(InputError, match="one placement, got academic, integer"):
        plan_data([*rows[:-1], rows[-1] | {"placement": "academic"}])
