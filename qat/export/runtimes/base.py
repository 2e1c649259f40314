"""What every runtime does: load a network, run it, say what it runs as integers, time it."""

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
# What onnxruntime puts behind the name of a node it changed.
_RUNTIMES_OWN = re.compile(r"_token_\d+$")


@dataclass(frozen=True, slots=True)
class RuntimeNode:
    """One step of the graph that a runtime executes, after its own optimizations.

    Attributes:
        name: The runtime's, often that of the ONNX node it was made of.
        op: Kind, in the runtime's words.
        integer: It computes on integer codes.
        layer: What an ONNX node name says up to its first ``/``; None if no such node is known.
        half: It computes on float16.
    """

    name: str
    op: str
    integer: bool
    layer: str | None
    half: bool = False


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The image tensor a network takes; a dimension that is free is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def check(self, images: np.ndarray) -> None:
        """Raise a ValueError if the network cannot take ``images``."""
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
        """The network's output and the tensors that were asked for at loading, by name.

        Raises:
            ValueError: If the network takes other shapes or types than ``images`` has.
        """

    @abstractmethod
    def nodes(self) -> tuple[RuntimeNode, ...]:
        """What the runtime executes, in order, read from its own optimized graph."""

    @abstractmethod
    def node_times_ms(
        self, images: np.ndarray, repeats: int = 30, warmup: int = 3
    ) -> dict[str, float]:
        """Median milliseconds of each node by the runtime's profiler.

        Profiling slows a network down: these are shares of a latency, not a latency.
        """

    def run(self, images: np.ndarray) -> np.ndarray:
        """The network's first output, such as logits ``[N, classes]``."""
        return next(iter(self.run_all(images).values()))

    def layer_times_ms(
        self, images: np.ndarray, repeats: int = 30, warmup: int = 3
    ) -> dict[str | None, float]:
        """:meth:`node_times_ms` summed by layer; under None what belongs to no layer."""
        layers = {node.name: node.layer for node in self.nodes()}
        sums: dict[str | None, float] = {}
        for name, ms in self.node_times_ms(images, repeats, warmup).items():
            layer = layers.get(name)
            sums[layer] = sums.get(layer, 0.0) + ms
        return sums


class Runtime(ABC):
    """One program that executes ONNX files."""

    name: str

    @abstractmethod
    def version(self) -> str:
        """Of the program."""

    @abstractmethod
    def load(
        self, model: Source, threads: int, optimize: bool = True, outputs: Sequence[str] = ()
    ) -> Session:
        """Make a network ready to run.

        Args:
            model: An ONNX file or its bytes.
            threads: Cores one inference may use.
            optimize: Let the runtime rewrite the graph; off, it computes node by node what the
                file says.
            outputs: Tensors inside the network to hand out too. Ask for codes (what
                QuantizeLinear gives): a float tensor handed out keeps a runtime from fusing
                what surrounds it.

        Raises:
            ValueError: If ``threads`` is below 1, the file is not there or cannot be loaded, or it
                has no tensor of such a name.
        """


def require(module: str, cure: str) -> ModuleType:
    """Import a package, or say how it is installed.

    Raises:
        ValueError: If it is not there.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise InputError(f"{module} is not installed: {cure}") from None


def check_threads(threads: int) -> None:
    """Raise a ValueError unless ``threads`` is a number of cores."""
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")


def layer_of(names: Sequence[str], known: Collection[str]) -> str | None:
    """The layer that one of some node names tells, by what stands before ``/``."""
    heads = (_RUNTIMES_OWN.sub("", name).partition("/")[0] for name in names)
    return next((head for head in heads if head in known), None)


def medians_ms(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median over rounds of each node's milliseconds; a node that did not run took none."""
    names = dict.fromkeys(name for taken in rounds for name in taken)
    return {name: float(np.median([taken.get(name, 0.0) for taken in rounds])) for name in names}
