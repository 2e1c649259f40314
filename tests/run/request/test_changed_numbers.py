"""Which runs get another id because their numbers moved, and that all others keep theirs."""

import pytest

from qat.config.compose import compose_points
from qat.run.request.changed_numbers import changed_numbers

GAIN = {"step_gain": "whole weight"}
RANGE = {"weight_range": "current extremes"}
SOFT = {"soft_staircase": "closed formulas"}
LEVELS = {"entropy_levels": "beside zero"}
ZERO = {"free_zero": "whole length"}
ASYMMETRIC = ["scheme.act.symmetric=false"]
TENSOR = "scheme.weight.granularity=tensor"


def marks(*words):
    return changed_numbers(compose_points([*words], False)[0].config)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mode=float"], {}),
        (["scheme=w8a8"], {}),
        (["mode=qat", "scheme=w4a4"], {}),  # a step for each channel
        (["mode=qat", "scheme=w4a4", TENSOR], GAIN),
        (["mode=static", "scheme=w4a4", TENSOR], {}),  # no gradient
        (["mode=qat", "scheme=w4a4", TENSOR, "quantizer@scheme.weight=minmax"], RANGE),
        (["mode=qat", "scheme=w8a8", TENSOR, "observer@scheme.weight=mse"], {}),
        (["mode=qat", "scheme=w8a8"], {}),
        (["mode=qat", "scheme=w8a8", TENSOR], RANGE),
        (["mode=qat", "scheme=w4a4", TENSOR, "quantizer@scheme.weight=ewgs"], GAIN),
        (["mode=mixed", "scheme=w4a4", TENSOR, "mixed.then=qat"], GAIN),
        (["mode=mixed", "scheme=w4a4", TENSOR], {}),
        (
            ["mode=qat", "scheme=w4a4", "scheme.rules=[{match:fc,weight:{granularity:tensor}}]"],
            GAIN,
        ),
        (["mode=static", "scheme=w2_ternary"], {}),
        (["mode=static", "quantizer@scheme.act=dsq"], {}),
        (["mode=qat", "quantizer@scheme.act=dsq"], SOFT),
        (["mode=qat", "scheme.rules=[{match:fc,act:{quantizer:{name:dsq}}}]"], SOFT),
        (["mode=qat", "aids.average_decay=0.9", *ASYMMETRIC], {"averaged_grid": "settled"}),
        (["mode=qat", "aids.average_decay=0.9"], {}),
        (["mode=static", "quantizer@scheme.weight=n2uq_weight"], LEVELS),
        (["mode=static", "observer@scheme.act=mse", "scheme.act.symmetric=false"], ZERO),
        (["mode=static", "scheme.act.symmetric=false"], {}),  # the range of extremes
        (["mode=qat", "scheme=w4a4", "quantizer@scheme.act=lsq_plus", *ASYMMETRIC], ZERO),
        (
            ["observer@scheme.act=mse", "scheme.rules=[{match:fc,act:{symmetric:false}}]"],
            ZERO,
        ),
        (["mode=qat", "scheme=w4a4", "quantizer@scheme.weight=n2uq_weight"], LEVELS),
    ],
)
def test_marks(home, words, expected):
    assert marks(*words) == expected
