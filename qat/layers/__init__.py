"""Quantized versions (twins) of float layers."""
