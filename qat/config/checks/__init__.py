"""What types cannot say about settings: ranges, names, combinations, keys that nothing reads."""
