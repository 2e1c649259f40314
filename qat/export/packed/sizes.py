"""Sizes of a quantized network, layer by layer.

simulated     the fake-quantized network in memory: every weight in float32
theoretical   codes at their width, scales, zero points, biases, float tensors
written       bytes in the packed file, which is read for this; the last row is its header
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import Tensor, nn

from qat.core.network_tensors import own_state
from qat.export.packed.content import ZERO_POINT, packed_content
from qat.export.packed.file import PackedFileError, read_file
from qat.layers.walk import TENSOR, placed_quantizers, twins

HEADER = "header"
_FLOAT_BITS = 32


@dataclass(frozen=True)
class SizeRow:
    """Bytes of one part of a network.

    Attributes:
        name: Name of the layer, of the tensor between layers, or of the float module.
        kind: Class of the float layer or module; ``tensor`` for a tensor between layers;
            ``header`` for all bytes of the file that are no tensor (names, shapes, plan, digest).
        bits: Width of the stored weight; 32 for float modules, 0 for tensors and header.
        simulated_bytes: In memory, in float32.
        theoretical_bytes: Without a header.
        written_bytes: In the file.
    """

    name: str
    kind: str
    bits: int
    simulated_bytes: int
    theoretical_bytes: int
    written_bytes: int


def size_rows(qnet: nn.Module, path: Path) -> list[SizeRow]:
    """One row for each layer, tensor between layers and float module, and one for the header.

    Args:
        qnet: Calibrated network.
        path: Its file, written by :func:`qat.export.packed.network.save_packed`.

    Raises:
        PackedFileError: If the file does not exist, is damaged, or belongs to another network.
    """
    path = Path(path)
    expected, stored = packed_content(qnet)[0], read_file(path)[0]
    if expected.keys() != stored.keys():
        some = sorted(expected.keys() ^ stored.keys())[:5]
        raise PackedFileError(f"{path} belongs to another network: keys differ: {', '.join(some)}")
    parts = _Parts(qnet)
    columns = [parts.bytes_of(tensors) for tensors in (own_state(qnet), expected, stored)]
    rows = [
        SizeRow(*part, *(column.get(part, 0) for column in columns))
        for part in dict.fromkeys(part for column in columns for part in column)
    ]
    header_bytes = path.stat().st_size - sum(row.written_bytes for row in rows)
    return [*rows, SizeRow(HEADER, HEADER, 0, 0, 0, header_bytes)]


def zero_point_bytes(path: Path) -> int:
    """Bytes of all zero points in a packed file; grids that are symmetric have none.

    No other tensor is read, and the digest is not checked again.

    Args:
        path: A file that was read back before.
    """
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.endswith(ZERO_POINT)]  # noqa: SIM118
        return sum(file.get_tensor(name).nbytes for name in names)


_Part = tuple[str, str, int]  # name, kind, bits


class _Parts:
    """Assigns tensors to the parts of a network, by their keys."""

    def __init__(self, qnet: nn.Module) -> None:
        self.modules = dict(qnet.named_modules())
        self.known: dict[str, _Part] = {}  # module path → part
        for name, twin in twins(qnet):
            self.known[name] = (name, twin.plan.kind, twin.plan.weight.stored_bits)
        for path, name, slot, _ in placed_quantizers(qnet):
            if slot == TENSOR:
                self.known[path] = (name, TENSOR, 0)

    def bytes_of(self, tensors: Mapping[str, Tensor]) -> dict[_Part, int]:
        """Bytes of the tensors of each part, in their order."""
        sizes: dict[_Part, int] = {}
        for key, tensor in tensors.items():
            part = self._of(key)
            sizes[part] = sizes.get(part, 0) + tensor.nbytes
        return sizes

    def _of(self, key: str) -> _Part:
        path = module = key.rpartition(".")[0]
        while path and path not in self.known:  # quantizers and observers are below their layer
            path = path.rpartition(".")[0]
        if path:
            return self.known[path]
        return module, type(self.modules[module]).__name__, _FLOAT_BITS
