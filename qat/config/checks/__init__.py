"""Checks that types cannot express: ranges, names, combinations, keys that nothing reads."""
