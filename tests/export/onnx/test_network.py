"""The form in which a network is written."""

import onnx
import pytest

from qat.export.errors import ExportError
from qat.export.onnx.network import check_export, export_onnx
from tests.export.integer_networks import Residual, calibrated, images, scheme


@pytest.mark.slow
def test_a_network_is_written_in_the_form_it_has(tmp_path):
    whole = export_onnx(calibrated(Residual()), tmp_path / "a.onnx", images())
    assert whole.program is not None
    assert whole.logit_scale > 0
    plain = export_onnx(Residual().eval(), tmp_path / "b.onnx", images())
    assert plain.program is None
    assert plain.logit_scale is None
    operators = {node.op_type for node in onnx.load(tmp_path / "b.onnx").graph.node}
    assert "QuantizeLinear" not in operators
    academic = calibrated(Residual(), scheme(placement="academic"))
    with pytest.raises(ExportError, match="placement=integer"):
        export_onnx(academic, tmp_path / "c.onnx", images())
    assert not (tmp_path / "c.onnx").exists()


def test_a_check_raises_what_the_export_would_raise():
    check_export(calibrated(Residual()), images())
    with pytest.raises(ExportError, match="placement=integer"):
        check_export(calibrated(Residual(), scheme(placement="academic")), images())
