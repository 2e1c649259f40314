"""The interface of a runtime: load a network, run it, list its nodes, measure its times."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from qat.base.errors import InputError

Source = str | Path | bytes
"""An ONNX file, or its bytes."""
# onnxruntime appends this to the name of a node that it has changed.
_RUNTIMES_OWN = re.compile(r"_token_\d+$")


@dataclass(frozen=True, slots=True)
class RuntimeNode:
    """One node of the graph that a runtime executes, after its own optimizations.

    Attributes:
        name: Name in the runtime, often that of the original ONNX node.
        op: Operator, as the runtime names it.
        integer: True if it computes on integer codes.
        layer: Part of the ONNX node's name before the first ``/``; None if there is no such node.
        half: True if it computes on float16.
    """

    name: str
    op: str
    integer: bool
    layer: str | None
    half: bool = False


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input tensor of a network.

    Attributes:
        name: Name of the tensor.
        shape: ``(batch, channels, height, width)``; None for a dimension of any size.
        dtype: Type of its elements.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def check(self, images: np.ndarray) -> None:
        """Check that the network can take these images.

        Raises:
            ValueError: If their shape or type differs from that of the input.
        """
        fits = len(images.shape) == len(self.shape) and all(
            want in (None, have) for want, have in zip(self.shape, images.shape, strict=True)
        )
        if not fits or images.dtype != self.dtype:
            free = tuple("any" if n is None else n for n in self.shape)
            raise InputError(
                f"images are {images.dtype} {images.shape}; "
                f"the exported network takes {self.dtype} {free}"
            )


class Session(ABC):
    """A network that a runtime has loaded."""

    input: InputSpec

    @abstractmethod
    def run_all(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The output of the network and the tensors requested when it was loaded, by name.

        Raises:
            ValueError: If the network cannot take these images.
        """

    def run_for(self, images: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Some of the tensors of :meth:`run_all`.

        Args:
            images: One batch.
            names: Names of outputs.

        Raises:
            ValueError: If the network cannot take these images.
        """
        values = self.run_all(images)
        return {name: values[name] for name in names}

    @abstractmethod
    def nodes(self) -> tuple[RuntimeNode, ...]:
        """The nodes that the runtime executes, in order, read from its optimized graph."""

    @abstractmethod
    def node_times_ms(
        self, images: np.ndarray, repeats: int = 30, warmup: int = 3
    ) -> dict[str, float]:
        """Median milliseconds of each node, from the runtime's profiler.

        Profiling makes a network slower: use these times as shares of a latency.

        Args:
            images: One batch.
            repeats: Number of measured runs.
            warmup: Number of runs before them, which are not measured.
        """

    def run(self, images: np.ndarray) -> np.ndarray:
        """The first output of the network, such as logits ``[N, classes]``."""
        return next(iter(self.run_all(images).values()))

    def layer_times_ms(
        self, images: np.ndarray, repeats: int = 30, warmup: int = 3
    ) -> dict[str | None, float]:
        """:meth:`node_times_ms`, summed by layer.

        Args:
            images: One batch.
            repeats: Number of measured runs.
            warmup: Number of runs before them, which are not measured.

        Returns:
            Layer → milliseconds; the key None has the nodes that belong to no layer.
        """
        layers = {node.name: node.layer for node in self.nodes()}
        sums: dict[str | None, float] = {}
        for name, ms in self.node_times_ms(images, repeats, warmup).items():
            layer = layers.get(name)
            sums[layer] = sums.get(layer, 0.0) + ms
        return sums


class Runtime(ABC):
    """A program that executes ONNX files."""

    name: str

    @abstractmethod
    def version(self) -> str:
        """Version of the installed package.

        Raises:
            ValueError: If the package is not installed.
        """

    @abstractmethod
    def load(
        self, model: Source, threads: int, optimize: bool = True, outputs: Sequence[str] = ()
    ) -> Session:
        """Load a network.

        Args:
            model: An ONNX file or its bytes.
            threads: Number of cores that one inference may use.
            optimize: Allow the runtime to rewrite the graph; if false, it executes the nodes of
                the file one by one.
            outputs: Names of inner tensors that become outputs too. Use codes (outputs of
                QuantizeLinear): a float tensor as output prevents the runtime from fusing the
                nodes around it.

        Raises:
            ValueError: If ``threads`` is below 1, the file does not exist or cannot be loaded, or
                the network has no tensor with such a name.
        """


def require(module: str, cure: str) -> ModuleType:
    """Import an optional package.

    Args:
        module: Name of the module.
        cure: Command that installs it, for the error message.

    Raises:
        ValueError: If the package is not installed.
        ModuleNotFoundError: If the package itself cannot import another one.

    Example:
        >>> require("absent_package", "pip install absent_package")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: absent_package is not installed: pip install absent_package
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise InputError(f"{module} is not installed: {cure}") from None


def check_threads(threads: int) -> None:
    """Check a number of threads.

    Raises:
        ValueError: If it is below 1.
    """
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")


def layer_of(names: Sequence[str], known: Collection[str]) -> str | None:
    """The layer in the name of a node, which is the part before the first ``/``.

    Args:
        names: Names of one node; the first one with a known layer counts.
        known: Names of all layers.

    Example:
        >>> layer_of(["Reshape_7", "head/bias"], {"head"})
        'head'
    """
    heads = (_RUNTIMES_OWN.sub("", name).partition("/")[0] for name in names)
    return next((head for head in heads if head in known), None)


def medians_ms(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median time of each node over several rounds; a node that did not run counts as 0.

    Example:
        >>> medians_ms([{"conv": 1.0}, {"conv": 3.0}, {"conv": 2.0, "add": 5.0}])
        {'conv': 2.0, 'add': 0.0}
    """
    names = dict.fromkeys(name for taken in rounds for name in taken)
    return {name: float(np.median([taken.get(name, 0.0) for taken in rounds])) for name in names}
