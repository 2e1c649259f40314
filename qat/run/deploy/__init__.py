"""The network of a run in a runtime: export, comparison, timing."""
