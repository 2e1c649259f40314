"""Observers: what a tensor's values were, and the range a quantizer should take from them."""
