"""Quantized twins of float layers."""
