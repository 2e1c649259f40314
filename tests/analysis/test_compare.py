"""Rows of two networks, with the error of each layer by itself."""

import pytest

from qat.analysis.alone import alone_decibels
from qat.analysis.compare import compared_rows
from qat.analysis.layers import tensor_rows
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan, plan_of
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_outputs_have_the_error_of_their_layer_alone(integer_model, tiny_images, placement):
    scheme = Scheme(TensorSpec(bits=4), TensorSpec(bits=4), placement=placement)
    plan = make_plan(integer_model, scheme, tiny_images)
    qnet = quantize(integer_model, plan, tiny_images).eval()
    calibrate(qnet, [tiny_images])
    calls = []

    def images():
        calls.append(1)
        return iter(tiny_images.split(8))

    rows = compared_rows(integer_model, qnet, plan_of(qnet), images)
    assert len(calls) == 2
    assert {row.name for row in rows if row.slot == "output"} == set(plan.layers)
    assert all((row.alone_db is not None) == (row.slot == "output") for row in rows)
    first = next(row for row in rows if (row.name, row.slot) == ("stem", "output"))
    # What the first layer reads is exact, so that its error alone is its whole error.
    assert first.alone_db == pytest.approx(first.sqnr_db, abs=0.1)
    if placement == "academic":
        plain = tensor_rows(integer_model, qnet, images())
        assert [row.sqnr_db for row in rows] == [row.sqnr_db for row in plain]
        alone = alone_decibels(integer_model, qnet, images())
        assert {r.name: r.alone_db for r in rows if r.slot == "output"} == alone
