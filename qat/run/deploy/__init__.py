"""The network of a run in a runtime: exported, compared, timed."""
