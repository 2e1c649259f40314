"""Fake quantizers, one method in each file."""
