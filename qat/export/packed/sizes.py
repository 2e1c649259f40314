"""Sizes of a quantized network side by side, layer by layer.

simulated     the fake-quantized network in memory: every weight in float32
theoretical   codes at their width, scales, zero points, biases, float leftovers
written       bytes of a packed file, by reading it back; the last row is its header
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from qat.core.network_tensors import own_state
from qat.export.packed.content import packed_content
from qat.export.packed.file import PackedFileError, read_file
from qat.layers.walk import TENSOR, placed_quantizers, twins

HEADER = "header"
_FLOAT_BITS = 32


@dataclass(frozen=True)
class SizeRow:
    """Bytes of one part of a network.

    Attributes:
        name: Of the layer, of the tensor between layers, or of the module left float.
        kind: Class of the float layer or module; ``tensor`` between layers; ``header`` for what
            the file has beside numbers (names, shapes, plan, digest).
        bits: Width of a layer's stored weight; 32 of what is left float, 0 of other rows.
        simulated_bytes: In memory, fake-quantized.
        theoretical_bytes: Without any header.
        written_bytes: In the file.
    """

    name: str
    kind: str
    bits: int
    simulated_bytes: int
    theoretical_bytes: int
    written_bytes: int


def size_rows(qnet: nn.Module, path: Path) -> list[SizeRow]:
    """A row per layer, per tensor between layers, per module left float, and one for the header.

    Args:
        qnet: A calibrated network.
        path: The file it was written to by :func:`qat.export.packed.network.save_packed`.

    Raises:
        PackedFileError: If the file is damaged, or of another network.
    """
    path = Path(path)
    expected, stored = packed_content(qnet)[0], read_file(path)[0]
    if expected.keys() != stored.keys():
        some = sorted(expected.keys() ^ stored.keys())[:5]
        raise PackedFileError(f"{path} is of another network: keys differ: {', '.join(some)}")
    parts = _Parts(qnet)
    columns = [parts.bytes_of(tensors) for tensors in (own_state(qnet), expected, stored)]
    rows = [
        SizeRow(*part, *(column.get(part, 0) for column in columns))
        for part in dict.fromkeys(part for column in columns for part in column)
    ]
    rest = path.stat().st_size - sum(row.written_bytes for row in rows)
    return [*rows, SizeRow(HEADER, HEADER, 0, 0, 0, rest)]


_Part = tuple[str, str, int]  # name, kind, bits


class _Parts:
    """Which part of a network a tensor belongs to, by the tensor's key."""

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
        found: dict[_Part, int] = {}
        for key, tensor in tensors.items():
            part = self._of(key)
            found[part] = found.get(part, 0) + tensor.nbytes
        return found

    def _of(self, key: str) -> _Part:
        path = module = key.rpartition(".")[0]
        while path and path not in self.known:  # a layer's quantizers and observers lie below it
            path = path.rpartition(".")[0]
        if path:
            return self.known[path]
        return module, type(self.modules[module]).__name__, _FLOAT_BITS
