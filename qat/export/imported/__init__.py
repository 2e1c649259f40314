"""Formats and ranges that other programs wrote: encodings of AIMET, and QDQ ONNX files."""
