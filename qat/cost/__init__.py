"""Costs of a network: multiply-accumulate operations, bit operations, bytes, times in torch."""
