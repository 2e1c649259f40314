"""Settings: their types, how they are composed, and what is checked across groups."""
