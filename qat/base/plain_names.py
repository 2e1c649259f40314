"""Names that become folders, files and labels, such as those of studies."""

import re

from qat.base.errors import InputError

LENGTH = 100
_NAME = re.compile(r"[^\W_][\w.+-]*")


def check_plain_name(key: str, name: str) -> None:
    """Refuse a name that is not a valid folder name on every system, or leads to another folder.

    Args:
        key: The setting that holds the name, as the user types it.
        name: Letters, digits and ``_ . + -``, the first a letter or digit, at most 100 characters.

    Raises:
        InputError: If the name is not valid; the message suggests a valid one.

    Example:
        >>> check_plain_name("study.name", "my study/1")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: study.name='my study/1' is not a valid name: use only letters, \
digits and _ . + -, and begin with a letter or digit, such as study.name=my_study_1
    """
    if _NAME.fullmatch(name) and len(name) <= LENGTH:
        return
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("_.+-")[:LENGTH] or "name"
    limit = f", at most {LENGTH} characters" if len(name) > LENGTH else ""
    raise InputError(
        f"{key}={name[:LENGTH]!r} is not a valid name: use only letters, digits and _ . + -, "
        f"and begin with a letter or digit{limit}, such as {key}={plain}"
    )
