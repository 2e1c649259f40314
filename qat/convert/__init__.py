"""From a float network and a plan to a quantized network, and its calibration."""
