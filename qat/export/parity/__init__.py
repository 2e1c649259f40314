"""Is the network of a runtime the simulated one?"""
