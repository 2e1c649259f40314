"""The stages of a run: each takes its state, and gives one result."""
