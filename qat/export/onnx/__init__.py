"""Networks as ONNX files: of integers, of dynamic ranges, of floats."""
