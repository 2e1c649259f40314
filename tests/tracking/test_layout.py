"""Which curves share a chart, as TensorBoard matches their tags."""

import re

import pytest

from qat.tracking.layout import COLUMNS, EVENTS, FIRST_GROUP, multiline_layout


def charts_of(tag):
    return [
        f"{category}: {title}"
        for category, charts in multiline_layout().items()
        for title, (kind, patterns) in charts.items()
        if kind == "Multiline" and any(re.match(pattern, tag) for pattern in patterns)
    ]


@pytest.mark.parametrize(
    ("tag", "charts"),
    [
        ("val/top1", ["Accuracy: training"]),
        ("best/val_top1", ["Accuracy: validation, best and last"]),
        ("train/loss", ["Loss: training"]),
        ("scale/layer1.0.conv1.weight", ["Steps: weights"]),
        ("scale/layer1.0.conv1.act", ["Steps: inputs"]),
        ("clipping/conv.act", ["Clipping: inputs"]),
        ("flips/conv.weight", ["Flips: weights"]),
        ("train/loss_of_another", []),
    ],
)
def test_curves_that_belong_together_share_a_chart(tag, charts):
    assert charts_of(tag) == charts


def test_names_in_existing_folders_stay():
    assert (EVENTS, COLUMNS) == ("tb", ".columns")
    own = ["codes/a", "comparison/text_summary", "figures/a", "_hparams_/experiment", "best/val"]
    assert min([*own, f"{FIRST_GROUP}/1 table"]) == f"{FIRST_GROUP}/1 table"
