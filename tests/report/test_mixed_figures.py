"""Figures of chosen bit widths, by the data of their bars and points."""

from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.sensitivity import SensitivityFile, WidthScore
from qat.report.mixed_figures import allocation_figures
from tests.side_files import ALLOCATION

SLOTS = [
    {"layer": "a", "slot": "weight", "bits": 8, "score": 0.1},
    {"layer": "b", "slot": "weight", "bits": 4, "score": 0.2},
]


def table():
    scores = {("a", 4): 0.5, ("a", 8): 0.1, ("b", 4): 0.2, ("b", 8): 0.05}
    rows = [WidthScore(layer, "weight", bits, score) for (layer, bits), score in scores.items()]
    return SensitivityFile("fisher", "nats", True, "0" * 64, tuple(rows))


def allocation(**changes):
    data = ALLOCATION | {"slots": SLOTS, "unit": "nats", "metric": "fisher", "check": None}
    return AllocationFile.from_data(data | changes)


def test_bars_are_scores_at_the_narrowest_width_with_the_chosen_bits():
    figures = allocation_figures(allocation(), table(), top1=0.8)
    assert list(figures) == ["sensitivity_weights", "front"]  # nothing was measured on inputs
    bars, widths = figures["sensitivity_weights"].axes
    assert [bar.get_height() for bar in bars.patches] == [0.5, 0.2]
    assert list(widths.lines[0].get_ydata()) == [8, 4]
    assert bars.get_ylabel() == "sensitivity [fisher at 4 bits, nats]"


def test_random_plans_have_a_figure_and_no_front_has_none():
    plans = [{"harm": harm, "top1": top1, "bits": []} for harm, top1 in ((0.1, 0.8), (0.2, 0.7))]
    check = {"plans": plans, "agreement": None}
    figures = allocation_figures(allocation(front=[], check=check), table(), top1=0.75)
    assert list(figures) == ["sensitivity_weights", "prediction"]
