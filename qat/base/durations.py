"""Durations as text."""


def duration(seconds: float) -> str:
    """A duration in seconds, minutes or hours, whichever is easiest to read.

    Example:
        >>> duration(42), duration(300), duration(7200)
        ('42 s', '5 min', '2.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
