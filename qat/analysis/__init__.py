"""What quantization did to a network, as rows."""
