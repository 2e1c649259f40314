"""Effects of quantization on a network, as rows; diagnosis."""
