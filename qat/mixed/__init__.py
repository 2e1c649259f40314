"""Mixed precision: how sensitive each layer is, and which plan a budget buys."""
