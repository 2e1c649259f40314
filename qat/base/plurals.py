"""Counts in words."""


def counted(count: float, noun: str, form: str = "", plural: str | None = None) -> str:
    """A count with its noun, in the singular for one.

    Args:
        count: The number.
        noun: In the singular.
        form: Format of the number.
        plural: Of the noun; None adds an s.

    Example:
        >>> counted(1, "run"), counted(1024, "image", ","), counted(2, "class", plural="classes")
        ('1 run', '1,024 images', '2 classes')
    """
    many = f"{noun}s" if plural is None else plural
    return f"{count:{form}} {noun if count == 1 else many}"
