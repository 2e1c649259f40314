"""What is exported in each mode and placement, and what cannot be measured."""

import pytest

from qat.config.checks.deployment import check_deployment, exports

HALF = {"scheme.weight.format": "fp16", "scheme.act.format": "fp16", "scheme.first_last": "same"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"mode": "static"}, False),
        ({"mode": "static", "scheme.placement": "integer"}, True),
        ({"mode": "qat", "scheme.placement": "integer"}, True),
        ({"mode": "float", "scheme.placement": "integer"}, False),
        ({"mode": "static", **HALF}, True),
        ({"mode": "dynamic", "export.onnx": "always"}, True),
        ({"mode": "static", "scheme.placement": "integer", "export.onnx": "never"}, False),
    ],
)
def test_what_is_exported(config, keys, expected):
    check_deployment(config(keys))
    assert exports(config(keys)) is expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"mode": "static", "export.onnx": "always"}, r"set scheme\.placement=integer or export=d"),
        ({"export.onnx": "sometimes"}, r"export\.onnx must be one of auto, always, never"),
        ({"measure.batches": []}, r"measure\.batches is empty"),
        ({"measure.runtime": "tflite"}, r"measure\.runtime must be one of onnxruntime.*none"),
        ({"measure.blocks": 9, "measure.runtime_repeats": 8}, r"set measure\.blocks=8 or fewer"),
    ],
)
def test_refused(config, keys, message):
    with pytest.raises(ValueError, match=message):
        check_deployment(config(keys))
