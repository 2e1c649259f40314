"""A plan as a table: each line by hand."""

import pytest

from qat.core.plan import LayerPlan, Plan
from qat.core.plan_text import plan_html, plan_text, spec_words
from qat.core.scheme import Method, TensorSpec
from tests.core.test_plan_rows import PLAN


def test_each_layer_and_tensor_has_a_line():
    assert plan_text(PLAN).splitlines() == [
        "layer  kind    weight                             input                         output",
        "conv   Conv2d  int3, groups of 4, my.module:Mine  uint5 asymmetric, percentile",
        "fc     Linear  int3, groups of 4, my.module:Mine  fp16 asymmetric, percentile"
        "   uint5 asymmetric, percentile",
        "",
        "tensor  kind    format                        quantizer of",
        "conv    conv2d  uint5 asymmetric, percentile",
        "add     add     uint5 asymmetric, percentile  conv",
        "",
        "float: up (ConvTranspose2d), head (Linear)",
        "",
        "placement: integer",
    ]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (TensorSpec(), "8 bit"),
        (TensorSpec(signed=True, narrow=True), "int8 narrow"),
        (TensorSpec(signed=True, scale="power_of_two"), "int8, power-of-two scale"),
        (TensorSpec(bits=1, signed=False, quantizer=Method("binary")), "int1, binary"),
        (TensorSpec(format="mxfp4_e2m1", granularity="channel"), "mxfp4_e2m1"),
        (TensorSpec(format="fp8_e4m3", granularity="channel"), "fp8_e4m3, per channel"),
        (TensorSpec(bits=32), "float"),
        (None, ""),
    ],
)
def test_what_is_usual_is_left_out(spec, words):
    assert spec_words(spec) == words


def test_names_are_text_in_html_and_in_a_terminal():
    layer = LayerPlan("<b>\x1b", "Linear", TensorSpec(), TensorSpec())
    plan = Plan({layer.name: layer})
    assert "<td>&lt;b&gt;\\x1b</td><td>Linear</td>" in plan_html(plan)
    assert "\x1b" not in plan_text(plan)
    assert plan_html(PLAN).count("<tr>") == 3 + 3
    assert "output" not in plan_html(plan)
