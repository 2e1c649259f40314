"""Graphs of float networks: the layers they call, with shapes, and their operations."""
