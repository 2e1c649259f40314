"""What a file of another program says about the quantized tensors of a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qat.export.imported.encoding import Encoding


@dataclass(frozen=True)
class FileWeight:
    """The weight of a layer in a file.

    Attributes:
        names: What the layer may be called in the network, the likeliest first.
        encoding: Its codes.
        outputs: Output channels of the weight, if the file says so.
        values: The weight as the file decodes it, output channels first; None if it has none.
    """

    names: tuple[str, ...]
    encoding: Encoding
    outputs: int | None = None
    values: np.ndarray[Any, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class FileTensor:
    """A tensor between layers in a file.

    Attributes:
        names: What the operation that computes it may be called in the network.
        encoding: Its codes.
        computed: Kind of that operation, such as ``add``, and names of the tensors that it reads,
            where the file has a graph; else empty.
    """

    names: tuple[str, ...]
    encoding: Encoding
    computed: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileContents:
    """All quantized tensors of a file.

    Attributes:
        weights: Name in the file → weight.
        inputs: Name of the layer's weight, or of the layer, in the file → encoding of its input.
        tensors: Name in the file → tensor between layers, in the order of the file.
        ignored: Name in the file → why it is not taken.
    """

    weights: Mapping[str, FileWeight] = field(default_factory=dict)
    inputs: Mapping[str, FileTensor] = field(default_factory=dict)
    tensors: Mapping[str, FileTensor] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
