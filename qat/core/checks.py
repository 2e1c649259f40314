"""Checks of tensors, which on a GPU are collected and read together.

To look at a value, Python has to wait until the GPU has computed it, and the GPU then waits for
Python. Inside :meth:`Pending.collecting`, checks of tensors on a GPU are therefore only noted, and
:meth:`Pending.read` reads all of them with one copy. Everywhere else a check is immediate.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from qat.base.errors import InputError


class Pending:
    """Checks that were noted and not read yet; those of equal message count as one.

    Example:
        >>> pending = Pending()
        >>> pending.note(torch.tensor([True, False]), "a step must be above 0")
        >>> pending.read()
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: a step must be above 0
    """

    def __init__(self) -> None:
        self._passed: dict[str, Tensor] = {}

    def note(self, passed: Tensor, message: str) -> None:
        """Note a check for :meth:`read`.

        Args:
            passed: True where the values are right, bool of any shape.
            message: Of the error if an element is false.
        """
        earlier, now = self._passed.get(message), passed.detach().all()
        self._passed[message] = now if earlier is None else earlier & now

    def read(self) -> None:
        """Read all noted checks, and forget them.

        Raises:
            InputError: If one failed; of several, the one that was noted first.
        """
        noted, self._passed = self._passed, {}
        if not noted:
            return
        for message, passed in zip(noted, torch.stack([*noted.values()]).tolist(), strict=True):
            if not passed:
                raise InputError(message)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Inside the block, note the checks of tensors on a GPU here."""
        before, _state.pending = _state.pending, self
        try:
            yield
        finally:
            _state.pending = before


class _State:
    def __init__(self) -> None:
        self.pending: Pending | None = None
        self.label: str | None = None


_state = _State()


def require(passed: Tensor, message: str) -> None:
    """Check that all elements are true, at once or, on a GPU, when pending checks are read.

    Args:
        passed: True where the values are right, bool of any shape.
        message: Of the error.

    Raises:
        InputError: If an element is false and the check is immediate.

    Example:
        >>> require(torch.tensor([2.0]) > 0, "a step must be above 0")
    """
    if _state.pending is None or is_immediate(passed.device):
        if not bool(passed.all()):
            raise InputError(message)
        return
    _state.pending.note(passed, message if _state.label is None else f"{_state.label}: {message}")


def is_immediate(device: torch.device) -> bool:
    """Whether reading a value of this device needs no waiting."""
    return device.type == "cpu"


@contextmanager
def naming(label: str) -> Iterator[None]:
    """Inside the block, begin the message of each error of a check with the name of a tensor.

    Args:
        label: Name of the tensor.

    Raises:
        InputError: For a ValueError inside the block, with the name.
    """
    before, _state.label = _state.label, label
    try:
        yield
    except ValueError as error:
        raise InputError(f"{label}: {error}") from error
    finally:
        _state.label = before
