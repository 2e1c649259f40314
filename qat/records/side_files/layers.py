"""``layers.json``: what quantization did to each tensor of each layer."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from qat.records.file_names import LAYERS_NAME
from qat.records.schema import RunRecord
from qat.records.side_files.typed_file import TypedFile, read_side_file


@dataclass(frozen=True, slots=True)
class LayerTensor:
    """One tensor of one layer; None where a figure does not apply, or is infinite.

    Attributes:
        name: Of the layer.
        slot: ``weight``, ``act`` (the input), ``tensor`` (between layers, by its own name) or
            ``output`` (compared with the float network's, so with all errors from before).
        sqnr_db: Signal-to-quantization-noise ratio (SQNR) in dB; None if it is infinite, because
            nothing was lost.
        bits: Width of a code.
        symmetric: Zero point fixed at 0.
        granularity: ``tensor``, ``channel`` or ``group``.
        step: Mean scale.
        rmin: Smallest value that a code stands for, over all slices.
        rmax: Largest such value.
        used_codes: Share of the grid's codes that occur.
        clipped: Share of values more than half a step outside of the range.
        max_error_steps: Largest error, in steps.
        rms_error_steps: Root of the mean squared error, in steps.
        worst_channel_db: Of a weight: lowest SQNR of an output channel.
        channel_range_ratio: Of a weight: the widest channel's range over the median channel's.
        dead_channels: Of a weight: channels that became zero.
        alone_db: Of an output: its SQNR if this layer alone is quantized.
    """

    name: str
    slot: str
    sqnr_db: float | None
    bits: int | None = None
    symmetric: bool | None = None
    granularity: str | None = None
    step: float | None = None
    rmin: float | None = None
    rmax: float | None = None
    used_codes: float | None = None
    clipped: float | None = None
    max_error_steps: float | None = None
    rms_error_steps: float | None = None
    worst_channel_db: float | None = None
    channel_range_ratio: float | None = None
    dead_channels: int | None = None
    alone_db: float | None = None


@dataclass(frozen=True, slots=True)
class LayersFile(TypedFile):
    """All tensors, in the order of the network's layers; those between layers at the end."""

    rows: tuple[LayerTensor, ...]

    ARTIFACT: ClassVar[str] = "layers"
    NAME: ClassVar[str] = LAYERS_NAME
    IS_LIST: ClassVar[bool] = True

    @property
    def output_decibels(self) -> dict[str, float]:
        """Layer → SQNR of its output in dB, of those that lost anything."""
        outputs = [row for row in self.rows if row.slot == "output"]
        return {row.name: row.sqnr_db for row in outputs if row.sqnr_db is not None}


def read_layers(folder: Path, record: RunRecord) -> LayersFile:
    """The run's ``layers.json``; without rows if the record names no such file.

    Args:
        folder: The run's.
        record: Of that run; a float run, or an older one, has no such file.

    Raises:
        SideFileError: If the file is gone, is not the run's, cannot be read, or does not fit.
    """
    if LayersFile.ARTIFACT not in record.artifacts:
        return LayersFile(())
    return read_side_file(folder, record, LayersFile) or LayersFile(())
