"""The files of a choice of widths."""

import json

import pytest

from qat.run.mixed.allocation import choose_plan
from qat.run.mixed.files import write_allocation
from qat.run.mixed.prediction import Check, CheckedPlan
from qat.sensitivity.table import SensitivityTable


@pytest.fixture
def chosen(make_choice):
    return choose_plan(*make_choice(allocate__average_weight_bits=4))


def test_widths_scores_and_budgets_are_written(chosen, tmp_path):
    files = write_allocation(tmp_path, "ilp", False, chosen, None)
    assert {name: path.name for name, path in files.items()} == {
        "sensitivity": "sensitivity.json",
        "allocation": "allocation.json",
    }
    content = json.loads(files["allocation"].read_text())
    assert (content["allocator"], content["trained"], content["check"]) == ("ilp", False, None)
    assert content["predicted_harm"] == pytest.approx(sum(s["score"] for s in content["slots"]))
    assert {(s["layer"], s["slot"]): s["bits"] for s in content["slots"]} == chosen.bits
    [budget] = content["budgets"]
    assert (budget["name"], budget["limit"]) == ("average_weight_bits", 4)
    weights = {"first": 108, "second": 144, "head": 12}
    spent = sum(weights[layer] * bits for (layer, _), bits in chosen.bits.items()) / 264
    assert budget["spent"] == pytest.approx(spent)
    table = SensitivityTable.load(files["sensitivity"])
    assert table.scores == chosen.table.scores


def test_the_front_is_that_of_the_greedy_allocator(chosen, tmp_path):
    path = write_allocation(tmp_path, "greedy", True, chosen, None)["allocation"]
    content = json.loads(path.read_text())
    points = sorted((p["weight_bytes"], p["predicted_harm"]) for p in content["front"])
    assert (points[0][0], points[-1][0]) == (264 * 2 / 8, 264)  # 2 and 8 bits everywhere
    harms = [harm for _, harm in points]
    assert harms == sorted(harms, reverse=True)
    assert content["trained"] is True


def test_the_rounds_are_those_of_remeasuring(make_choice, chosen, tmp_path):
    words = {"sensitivity__metric": "output_kl", "allocate__average_weight_bits": 4}
    own = choose_plan(*make_choice(allocate__name="remeasure", **words))
    path = write_allocation(tmp_path, "remeasure", False, own, None)["allocation"]
    rounds = json.loads(path.read_text())["rounds"]
    best = [[layer, slot, bits] for (layer, slot), bits in own.bits.items()]
    harms = {str(plan["bits"]): plan["harm"] for each in rounds for plan in each["plans"]}
    assert harms[str(best)] == min(harms.values()) == rounds[-1]["harm"]
    assert len(rounds) >= 2
    other = write_allocation(tmp_path, "ilp", False, chosen, None)["allocation"]
    assert json.loads(other.read_text())["rounds"] is None


def test_a_check_has_its_plans(chosen, tmp_path):
    plan = CheckedPlan({("first", "weight"): 2, ("head", "weight"): 8}, 0.5, 0.75)
    path = write_allocation(tmp_path, "ilp", False, chosen, Check([plan], None))["allocation"]
    assert json.loads(path.read_text())["check"] == {
        "agreement": None,
        "plans": [
            {"harm": 0.5, "top1": 0.75, "bits": [["first", "weight", 2], ["head", "weight", 8]]}
        ],
    }
