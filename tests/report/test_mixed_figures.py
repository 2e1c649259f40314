"""Figures of chosen bit widths, by the data of their bars and points."""

from qat.report.mixed_figures import allocation_figures
from qat.sensitivity.table import SensitivityRow, SensitivityTable

SLOTS = [
    {"layer": "a", "slot": "weight", "bits": 8},
    {"layer": "b", "slot": "weight", "bits": 4},
]


def table():
    scores = {("a", 4): 0.5, ("a", 8): 0.1, ("b", 4): 0.2, ("b", 8): 0.05}
    rows = [SensitivityRow(layer, "weight", bits, s) for (layer, bits), s in scores.items()]
    return SensitivityTable("fisher", "nats", True, "0" * 64, tuple(rows))


def allocation(**changes):
    return {
        "slots": SLOTS,
        "front": [{"weight_bytes": 1024, "predicted_harm": 0.3}],
        "unit": "nats",
        "metric": "fisher",
        "trained": False,
        "predicted_harm": 0.3,
        "check": None,
    } | changes


def test_bars_are_scores_at_the_narrowest_width_with_the_chosen_bits():
    figures = allocation_figures(allocation(), table(), top1=0.8)
    assert list(figures) == ["sensitivity_weights", "front"]  # nothing was measured on inputs
    bars, widths = figures["sensitivity_weights"].axes
    assert [bar.get_height() for bar in bars.patches] == [0.5, 0.2]
    assert list(widths.lines[0].get_ydata()) == [8, 4]
    assert bars.get_ylabel() == "sensitivity [fisher at 4 bits, nats]"


def test_random_plans_have_a_figure_and_no_front_has_none():
    plans = [{"harm": 0.1, "top1": 0.8}, {"harm": 0.2, "top1": 0.7}]
    figures = allocation_figures(allocation(front=[], check={"plans": plans}), table(), top1=0.75)
    assert list(figures) == ["sensitivity_weights", "prediction"]
