"""Names that become folders, files and labels: studies, scales, views."""

import re

from qat.base.errors import InputError

LENGTH = 100
_NAME = re.compile(r"[^\W_][\w.+-]*")


def check_plain_name(key: str, name: str) -> None:
    """Refuse a name that could not be a folder's everywhere, or could be another folder.

    Args:
        key: What the name is of, as it is typed.
        name: Letters, digits and ``_ . + -``, the first a letter or digit.

    Raises:
        InputError: With a name that would do.

    Example:
        >>> check_plain_name("study.name", "my study/1")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: study.name='my study/1' is no name: write letters, digits and \
_ . + - alone, beginning with a letter or digit, such as study.name=my_study_1
    """
    if _NAME.fullmatch(name) and len(name) <= LENGTH:
        return
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("_.+-")[:LENGTH] or "name"
    limit = f", {LENGTH} characters at most" if len(name) > LENGTH else ""
    raise InputError(
        f"{key}={name[:LENGTH]!r} is no name: write letters, digits and _ . + - alone, beginning "
        f"with a letter or digit{limit}, such as {key}={plain}"
    )
