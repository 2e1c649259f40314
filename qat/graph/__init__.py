"""Reading a float model: which layers run, in which order, on which shapes."""
