"""Networks as ONNX files: integer, with dynamic ranges, or float."""
