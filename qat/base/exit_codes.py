"""Exit codes of the command line."""

DONE = 0
FAILED = 1
"""A run failed, or missed its gate."""
REFUSED = 2
"""The request was wrong; nothing was started."""
