"""Methods by name: the built-in ones, and classes of the user's own."""

import inspect
from collections.abc import Mapping
from typing import TypeVar

from qat.base.errors import InputError, UnknownNameError
from qat.base.target import load_target
from qat.core.scheme import Method

T = TypeVar("T")


def class_of(
    method: Method, known: Mapping[str, type[T]], base: type[T], given: tuple[str, ...]
) -> type[T]:
    """The class that a method names, its options held against the constructor.

    Args:
        method: A name of ``known``, or ``user`` with a target.
        known: The built-in classes.
        base: What the class must be a subclass of.
        given: Arguments of the constructor that are no options.

    Raises:
        KeyError: If there is no such name; those there are are listed.
        ValueError: If a target is no such class, or the constructor lacks an option.
    """
    if method.target is not None:
        found = load_target(method.target)
        if not (isinstance(found, type) and issubclass(found, base)):
            home = f"{base.__module__}.{base.__qualname__}"
            raise InputError(f"{method.target} is not a subclass of {home}")
    elif method.name in known:
        found = known[method.name]
    else:
        kind = base.__name__.lower()
        raise UnknownNameError(f"no {kind} {method.name!r}; there are {', '.join(known)}, user")
    allowed = [name for name in inspect.signature(found).parameters if name not in given]
    for option in method.options:
        if option not in allowed:
            raise InputError(
                f"{method.name} has no option {option!r}; it takes {', '.join(allowed) or 'none'}"
            )
    return found
