"""The public names of a package, each imported where it is first used (PEP 562).

The list of names is a stub file (``.pyi``), which type checkers read as well. So a name is written
once, and an editor knows its type although nothing is imported before it is used.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import Any


def homes(stub: str) -> dict[str, str]:
    """Where each public name of a package is.

    Args:
        stub: Path of its stub file: one line ``from MODULE import NAME as NAME`` for each name,
            which is how a stub exports a name.

    Returns:
        Public name → its module, in the order of the lines.
    """
    with open(stub, encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib takes longer
        lines = [line.split() for line in file if line.startswith("from qat")]
    return {words[3]: words[1] for words in lines}


def load(name: str, home: str) -> Any:
    """Import a public name.

    Args:
        name: The name.
        home: Its module, from :func:`homes`.

    Example:
        >>> load("IntGrid", "qat.core.grid").__name__
        'IntGrid'
    """
    if "." not in home:  # from qat import plot
        return importlib.import_module(f"{home}.{name}")
    return getattr(importlib.import_module(home), name)


class CallableRoom(ModuleType):
    """A subpackage with the name of a public function: called, it is that function.

    Python makes each imported subpackage an attribute of its package. So ``qat.run`` is the
    subpackage with the stages of a run, and also the function in ``qat.run("mode=qat")``.
    """

    _home: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the public function."""
        return self._function()(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        """The signature of the public function, for ``inspect`` and editors."""
        import inspect

        return inspect.signature(self._function())

    def __repr__(self) -> str:
        return f"<function and subpackage {self.__name__}>"

    def _function(self) -> Any:
        return load(self.__name__.rpartition(".")[2], self._home)


# help(qat.run) is about the function. A class has a text of its own under this name, so that the
# property is set afterwards.
CallableRoom.__doc__ = property(lambda room: room._function().__doc__)  # type: ignore[assignment]


class PublicPackage(ModuleType):
    """A package or module whose public names are loaded where they are first used."""

    _homes: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        """Load a public name.

        Raises:
            AttributeError: If the name is not public; the message lists the public ones.
        """
        if name not in self._homes:
            listed = ", ".join(self._homes)
            raise AttributeError(f"{self.__name__} has no {name!r}; it has {listed}")
        folders = self.__dict__.get("__path__", ())
        if any(os.path.isdir(f"{folder}/{name}") for folder in folders):  # noqa: PTH112
            return importlib.import_module(f"{self.__name__}.{name}")
        return load(name, self._homes[name])

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; an imported subpackage with a public name becomes callable."""
        home = self._homes.get(name, self.__name__)
        if isinstance(value, ModuleType) and home != self.__name__:
            value.__class__ = CallableRoom
            value.__dict__["_home"] = home
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        """The public names."""
        return sorted(self.__dict__["__all__"])


def publish(module: str, *more: str) -> list[str]:
    """Let a module load the public names of its stub.

    Args:
        module: Its name; its stub is the file beside it with the suffix ``.pyi``.
        more: Public names that are defined in the module itself.

    Returns:
        All public names, for ``__all__``.
    """
    package = sys.modules[module]
    assert package.__file__ is not None
    package.__dict__["_homes"] = homes(package.__file__.removesuffix(".py") + ".pyi")
    package.__class__ = PublicPackage
    return [*more, *package._homes]
