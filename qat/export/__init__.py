"""Files that other programs read, and what these programs make of them."""
