"""Classes by name, each imported when it is first asked for: the names alone load nothing."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A mapping of names to objects of this project, given as ``package.module:name``.

    Example:
        >>> fractions = Registry({"exact": "fractions:Fraction"})
        >>> list(fractions), fractions["exact"](1, 3)
        (['exact'], Fraction(1, 3))
    """

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = dict(homes)

    def __getitem__(self, name: str) -> T:
        """Import what has this name."""
        module, _, attribute = self._homes[name].partition(":")
        loaded: T = getattr(import_module(module), attribute)
        return loaded

    def __contains__(self, name: object) -> bool:
        """Whether there is such a name; nothing is imported."""
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)
