"""Post-training quantization (PTQ): ordered steps that change a network without training it."""
