"""The stage that makes the plan."""

from dataclasses import replace

import pytest

from qat.allocate.ilp import Solution
from qat.core.held_plan import HeldPlan
from qat.core.plan import Plan
from qat.records.store import read_record
from qat.run.stages.plan import plan_stage


def test_the_schemes_plan_is_in_the_record_before_it_is_followed(make_state):
    state = make_state()
    result = plan_stage(state)
    bits = [layer.weight.bits for layer in state.plan.layers.values()]
    assert bits == [8, 4, 8]
    assert Plan.load(result.files["plan"]) == state.plan
    assert Plan.from_dict(read_record(state.folder.path).plan) == state.plan
    assert state.allocation is None
    assert state.results.seconds.keys() == {"signs"}


def test_chosen_widths_come_with_their_predicted_harm(make_state):
    state = make_state("mixed", scheme__first_last="same", allocate__average_weight_bits=4)
    result = plan_stage(state)
    chosen = state.allocation
    harms = {(row.layer, row.bits): row.score for row in chosen.table.rows}
    harm = sum(harms[layer, bits] for (layer, _), bits in chosen.bits.items())
    assert result.metrics["predicted_harm"] == pytest.approx(harm)
    widths = {name: layer.weight.bits for name, layer in state.plan.layers.items()}
    assert widths == {layer: bits for (layer, _), bits in chosen.bits.items()}
    weights = {"first": 108, "second": 144, "head": 12}
    assert sum(weights[name] * bits for name, bits in widths.items()) <= 4 * 264


def test_what_the_allocator_warns_of_is_in_the_result(make_state, monkeypatch):
    monkeypatch.setattr("qat.allocate.clado.least_harm", lambda *_, **__: Solution(None, False))
    words = {"sensitivity__metric": "output_kl", "allocate__average_weight_bits": 4}
    state = make_state("mixed", scheme__first_last="same", allocate__name="clado", **words)
    result = plan_stage(state)
    assert result.warnings[0].startswith("allocation: the plan of clado is not proven")


def test_a_plan_from_a_file_is_followed_instead_of_the_scheme(make_state):
    state = make_state()
    plan_stage(state)
    mine = state.plan.change("second", weight=state.plan.layers["second"].weight.but(bits=3))
    state.prepared = replace(state.prepared, held=HeldPlan(mine))
    plan_stage(state)
    assert state.plan == mine
