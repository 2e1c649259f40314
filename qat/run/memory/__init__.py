"""The memory that the networks of a run need."""
