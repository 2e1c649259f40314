"""Classes of methods: built-in ones by name, and the user's own by target."""

import inspect
from collections.abc import Mapping
from typing import TypeVar

from qat.base.errors import InputError, UnknownNameError
from qat.base.target import load_target
from qat.core.scheme import Method

T = TypeVar("T")


def class_of(
    method: Method, known: Mapping[str, type[T]], base: type[T], required: tuple[str, ...]
) -> type[T]:
    """The class of a method, after a check that its constructor takes the options.

    Args:
        method: Its name is in ``known``, or ``user`` with a target.
        known: The built-in classes by name.
        base: The class must be a subclass of this.
        required: Arguments that every constructor of this kind takes; they are not options.

    Raises:
        UnknownNameError: If there is no such name; the message lists all names.
        InputError: If the target is not a subclass of ``base``, or the constructor does not take
            an option.
    """
    if method.target is not None:
        method_class = load_target(method.target)
        if not (isinstance(method_class, type) and issubclass(method_class, base)):
            home = f"{base.__module__}.{base.__qualname__}"
            raise InputError(f"{method.target} is not a subclass of {home}")
    elif method.name in known:
        method_class = known[method.name]
    else:
        kind = base.__name__.lower()
        raise UnknownNameError(f"no {kind} {method.name!r}; there are {', '.join(known)}, user")
    allowed = [name for name in inspect.signature(method_class).parameters if name not in required]
    for option in method.options:
        if option not in allowed:
            raise InputError(
                f"{method.name} has no option {option!r}; it takes {', '.join(allowed) or 'none'}"
            )
    return method_class
