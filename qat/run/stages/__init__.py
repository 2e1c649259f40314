"""The stages of a run: each is a function from the state of the run to one result."""
