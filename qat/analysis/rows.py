"""Quantization error of one tensor, as a row. This module loads no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorRow:
    """One tensor of one layer; a figure that does not apply is None.

    Attributes:
        name: Name of the layer, or of a tensor between layers.
        slot: ``weight``, ``act`` (the input), ``tensor`` (between layers) or ``output`` (compared
            with the float network's output, so it contains the errors of all earlier layers).
        sqnr_db: Signal-to-quantization-noise ratio (SQNR) in dB; infinite without error.
        bits: Width of a code.
        symmetric: Whether the zero point is fixed at 0.
        granularity: ``tensor``, ``channel`` or ``group``.
        step: Mean scale.
        rmin: Smallest value of a code, over all slices.
        rmax: Largest value of a code, over all slices.
        used_codes: Share of the grid's codes that occur, 0 to 1.
        clipped: Share of values more than half a step beyond the range, 0 to 1.
        max_error_steps: Largest error, in steps.
        rms_error_steps: Root of the mean squared error, in steps.
        worst_channel_db: For a weight, the lowest SQNR of an output channel.
        channel_range_ratio: For a weight, the range of the widest channel divided by that of the
            median channel.
        dead_channels: For a weight, the number of channels that quantization made zero.
        alone_db: For an output, its SQNR if only this layer is quantized and reads the float
            network's tensors.
    """

    name: str
    slot: str
    sqnr_db: float
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
