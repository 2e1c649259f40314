"""Classes by name. Each is imported when it is first used; reading the names imports nothing."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A mapping of names to objects, each of which is imported when it is looked up.

    Args:
        homes: Name → ``package.module:name`` of the object.

    Raises:
        KeyError: On looking up a name that is not in ``homes``.

    Example:
        >>> fractions = Registry({"exact": "fractions:Fraction"})
        >>> list(fractions), fractions["exact"](1, 3)
        (['exact'], Fraction(1, 3))
    """

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = dict(homes)

    def __getitem__(self, name: str) -> T:
        """Import the object of this name."""
        module, _, attribute = self._homes[name].partition(":")
        loaded: T = getattr(import_module(module), attribute)
        return loaded

    def __contains__(self, name: object) -> bool:
        """True if there is such a name; nothing is imported."""
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)
