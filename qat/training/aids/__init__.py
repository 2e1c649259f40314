"""Aids of quantized training: distillation, averaging, dampening, freezing, bin regularization."""
