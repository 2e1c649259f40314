"""Data about a network's tensors for the page of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qat.analysis.layers import LayerSQNR


@dataclass(frozen=True)
class PageTensors:
    """Data about the tensors of a run that is not stored in a file.

    Attributes:
        rows: Signal-to-quantization-noise ratio (SQNR) of each layer, in dB.
        weights: Layer → float weight and quantized weight.
        codes: Layer → counts of the codes of its tensors.
    """

    rows: Sequence[LayerSQNR] = ()
    weights: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    codes: Mapping[str, Any] = field(default_factory=dict)
