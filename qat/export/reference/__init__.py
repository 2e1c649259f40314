"""Integer-only inference in numpy: the definition of the results of integer hardware."""
