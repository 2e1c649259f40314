"""The packed file: a quantized network in the bytes that its codes need."""
