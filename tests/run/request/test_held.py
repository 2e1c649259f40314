"""The plan of scheme.plan: its file, its placement, the methods of the scheme."""

import pytest

from qat.base.errors import InputError
from qat.config.schema import RunConfig
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.run.request.held import held_plan

PLAN = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(signed=True), TensorSpec(signed=False))})
LSQ = Scheme(TensorSpec(quantizer=Method("lsq")), TensorSpec())


@pytest.fixture
def config(tmp_path):
    one = RunConfig(mode="static")
    one.scheme.plan = str(tmp_path / "net.plan.json")
    HeldPlan(PLAN, {"fc.act": HeldRange((0.5,), (0,))}).save(tmp_path / "net.plan.json")
    return one


def test_formats_and_ranges_are_the_files_and_methods_the_schemes(config):
    held = held_plan(config, LSQ)
    assert held.ranges == {"fc.act": HeldRange((0.5,), (0,))}
    assert held.plan.layers["fc"].weight.quantizer.name == "lsq"


def test_without_the_key_or_a_scheme_there_is_none(config):
    assert held_plan(config, None) is None
    config.scheme.plan = None
    assert held_plan(config, LSQ) is None


def test_another_placement_is_refused_with_the_cure(config):
    with pytest.raises(InputError, match=r"is a plan in placement academic, .*placement=academic"):
        held_plan(config, Scheme(placement="integer"))
