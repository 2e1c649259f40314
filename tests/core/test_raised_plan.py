"""Plans with wider codes."""

from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.raised_plan import at_least, raised_spec
from qat.core.scheme import TensorSpec


def test_only_integer_codes_below_the_width_are_raised():
    two, eight, off = TensorSpec(bits=2), TensorSpec(bits=8), TensorSpec(bits=32)
    half = TensorSpec(format="fp16")
    layers = {
        "a": LayerPlan("a", "Conv2d", two, two, output=two),
        "b": LayerPlan("b", "Conv2d", eight, off),
        "c": LayerPlan("c", "Linear", half, two),
    }
    raised = at_least(Plan(layers), 4).layers
    widths = {name: (layer.weight.bits, layer.act.bits) for name, layer in raised.items()}
    assert widths["a"] == (4, 4)
    assert raised["a"].output.bits == 4
    assert widths["b"] == (8, 32)
    assert raised["c"].weight is half
    assert raised["b"].output is None


def test_tensors_between_layers_are_raised_too():
    tensor = TensorPlan("add", "add", TensorSpec(bits=3), shares="conv1")
    plan = at_least(Plan({}, placement="integer", tensors={"add": tensor}, ends=("a", "z")), 6)
    assert plan.tensors["add"].spec.bits == 6
    assert (plan.tensors["add"].shares, plan.placement, plan.ends) == (
        "conv1",
        "integer",
        ("a", "z"),
    )


def test_all_other_fields_of_a_spec_stay():
    spec = TensorSpec(bits=2, signed=True, narrow=True, granularity="channel")
    assert raised_spec(spec, 5) == spec.but(bits=5)
    assert raised_spec(spec, 2) is spec
