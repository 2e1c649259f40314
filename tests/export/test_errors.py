"""The error of the exporters."""

from qat.base.errors import QatError
from qat.export.errors import ExportError


def test_an_export_error_is_a_value_error_that_a_user_can_fix():
    assert issubclass(ExportError, ValueError)
    assert issubclass(ExportError, QatError)
    assert str(ExportError("layer 'fc' is not quantized")) == "layer 'fc' is not quantized"
