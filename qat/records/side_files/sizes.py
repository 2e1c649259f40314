"""``sizes.json``: bytes of each part of the network."""

from dataclasses import dataclass
from typing import ClassVar

from qat.records.file_names import SIZES_NAME
from qat.records.side_files.typed_file import TypedFile


@dataclass(frozen=True, slots=True)
class PartSize:
    """Bytes of one part of a network.

    Attributes:
        name: Of the layer, of the tensor between layers, or of the module left float.
        kind: Class of the float layer or module; ``tensor`` between layers; ``header`` for what
            the packed file has beside numbers.
        bits: Width of a layer's stored weight; 32 for what is left float, 0 for other rows.
        simulated_bytes: In memory, fake-quantized.
        theoretical_bytes: Without any header.
        written_bytes: In the packed file.
    """

    name: str
    kind: str
    bits: int
    simulated_bytes: int
    theoretical_bytes: int
    written_bytes: int


@dataclass(frozen=True, slots=True)
class SizesFile(TypedFile):
    """All parts; their sums are the sizes in the run's record."""

    rows: tuple[PartSize, ...]

    ARTIFACT: ClassVar[str] = "sizes"
    NAME: ClassVar[str] = SIZES_NAME
    IS_LIST: ClassVar[bool] = True
    INDENT: ClassVar[int] = 2
