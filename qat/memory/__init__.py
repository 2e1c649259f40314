"""Where the memory of a run goes: lifetimes, arenas, orders, and runs inside the plan."""
