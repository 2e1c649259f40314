"""Benchmarks: one file each, run as ``python -m bench.NAME``, JSON out."""
