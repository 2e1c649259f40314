"""Fake quantizers, one paper a file."""
