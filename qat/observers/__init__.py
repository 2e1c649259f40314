"""Observers: statistics of the values of a tensor, and a range for its quantizer."""
