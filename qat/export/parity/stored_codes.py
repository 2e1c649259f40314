"""The codes that a runtime stores, read a few tensors at a time."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from qat.export.runtimes.base import Session


class StoredCodes(Mapping[str, np.ndarray]):
    """Codes of every stored tensor for one batch; those of one group are in memory.

    The tensors are read in their order, so each group is computed once for each reading. Another
    inference on the same images gives the same codes.

    Args:
        session: The network, with the codes of every stored tensor among its outputs.
        images: One batch.
        groups: Names of the tensors, in order of execution.

    Example:
        >>> class Doubling:
        ...     def run_for(self, images, names):
        ...         return {name: 2 * images for name in names}
        >>> codes = StoredCodes(Doubling(), np.ones(2), [["a"], ["b"]])
        >>> codes["b"]
        array([2., 2.])
    """

    def __init__(
        self, session: Session, images: np.ndarray, groups: Sequence[Sequence[str]]
    ) -> None:
        self._session, self._images, self._groups = session, images, groups
        self._held: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        """The codes of a tensor; those of other groups are forgotten."""
        if name not in self._held:
            group = next((group for group in self._groups if name in group), None)
            if group is None:
                raise KeyError(name)
            self._held = {}  # before the next ones are there
            values = self._session.run_for(self._images, [codes_of(each) for each in group])
            self._held = {each: values[codes_of(each)] for each in group}
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in order of execution."""
        return (name for group in self._groups for name in group)

    def __len__(self) -> int:
        """Number of tensors."""
        return sum(map(len, self._groups))


def codes_of(name: str) -> str:
    """The name of a tensor's codes in the exported file."""
    return f"{name}/codes"


def groups_within(sizes: Mapping[str, int], limit_bytes: int | None) -> list[list[str]]:
    """Split tensors into groups that fit into a limit; a larger tensor is a group of its own.

    Args:
        sizes: Name → bytes, in order of execution.
        limit_bytes: Bytes of a group; None for one group.

    Example:
        >>> groups_within({"a": 2, "b": 2, "c": 9, "d": 1}, 4)
        [['a', 'b'], ['c'], ['d']]
    """
    groups: list[list[str]] = []
    used = 0
    for name, size in sizes.items():
        if not groups or (limit_bytes is not None and used + size > limit_bytes):
            groups.append([])
            used = 0
        groups[-1].append(name)
        used += size
    return groups
