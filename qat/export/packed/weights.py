"""The weights of a packed file, each decoded into a given buffer when it is needed."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from qat.core.packing import unpack
from qat.export.packed.content import decoded_weight, exponents_key
from qat.export.packed.file import read_file, unfold
from qat.export.packed.versions import migrated
from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer


class PackedWeights:
    """The packed codes of a file's weights, and how to decode them.

    Weights that the file stores as floats are left out.

    Args:
        path: The packed file.
        layers: Name → quantized layer, whose quantizer decodes the codes.

    Raises:
        ValueError: If the file is damaged, or of a version that this program does not read.
    """

    def __init__(self, path: Path, layers: Mapping[str, QuantTwin]) -> None:
        tensors, metadata = migrated(path, *read_file(path))
        layout = unfold(path, metadata, "layout")
        self.layers = {n: t for n, t in layers.items() if f"{n}.weight" in layout}
        self.streams = {name: tensors[f"{name}.weight"].numpy() for name in self.layers}
        keys = {name: exponents_key(f"{name}.weight") for name in self.layers}
        self.exponents = {name: tensors[key] for name, key in keys.items() if key in tensors}

    @property
    def bytes(self) -> int:
        """Bytes of all packed codes, with the scales of blocks."""
        codes = sum(stream.nbytes for stream in self.streams.values())
        return codes + sum(exponents.nbytes for exponents in self.exponents.values())

    def unpack(self, name: str, buffer: Tensor) -> None:
        """Decode the weight of a layer.

        Args:
            name: Name of the layer.
            buffer: Receives the weight, flat; it has as many elements as the weight.
        """
        twin = self.layers[name]
        quantizer = twin.weight_quantizer
        assert isinstance(quantizer, Quantizer)
        codes = unpack(self.streams[name], buffer.numel(), *quantizer.code_range())
        whole = torch.from_numpy(codes).reshape(self.shape(name))
        weight = decoded_weight(quantizer, whole, self.exponents.get(name))
        buffer.copy_(weight.flatten())

    def shape(self, name: str) -> torch.Size:
        """Shape of a layer's weight."""
        return self.layers[name].weight.shape
