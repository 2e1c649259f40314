"""Where the memory of a run goes."""
