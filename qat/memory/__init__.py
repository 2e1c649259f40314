"""Memory of a network's tensors: lifetimes, arenas, orders, and execution inside a plan."""
