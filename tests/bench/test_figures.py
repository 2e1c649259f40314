"""Figures of reports by hand: old and new kinds of spread, settings, what can be compared."""

import pytest

from bench._figures import Figure, figures, is_relative, settings

RESULTS = {
    "model": "resnet20",
    "batch": 128,
    "same_scores": True,
    "step_ms": {"n": 3, "median": 2.0, "q1": 1.0, "q3": 3.0},
    "stages": {"float": {"peak_bytes": 7, "minor_faults": 3}},
    "again_seconds": 1.5,
    "rows": [
        {"runtime": "ort", "network": "int8", "batch": 1, "threads": 2, "version": "1.2"}
        | {"median_ms": 4.0, "lower_ms": 3.0, "upper_ms": 5.0, "repeats": 50}
    ],
    "speedups": [
        {"runtime": "ort", "network": "int8", "baseline": "float", "batch": 1, "threads": 2}
        | {"median": 1.5, "lower": 1.25, "upper": 1.75, "blocks": 10}
    ],
}


def test_every_kind_of_figure_by_hand():
    assert figures(RESULTS) == {
        "step_ms": Figure(2.0, 3, 1.0, 3.0),
        "stages · float · peak_bytes": Figure(7.0),
        "again_seconds": Figure(1.5),
        "rows · ort int8 batch 1 ms": Figure(4.0, 50, 3.0, 5.0),
        "speedups · ort int8 batch 1": Figure(1.5, 10, 1.25, 1.75),
    }


def test_settings_are_apart():
    assert settings(RESULTS) == {"model": "resnet20", "batch": 128, "same_scores": True}


@pytest.mark.parametrize(
    ("name", "relative"),
    [
        ("ratio_qat_compiled", True),
        ("static · user_ratio", True),
        ("speedups · openvino int8 batch 1", True),
        ("w8 · bytes", True),
        ("float_step_ms", False),
        ("mobilenet_v2 · peak_bytes", False),
        ("rows · openvino int8 batch 1 ms", False),
    ],
)
def test_only_ratios_and_sizes_hold_on_every_machine(name, relative):
    assert is_relative(name) is relative
