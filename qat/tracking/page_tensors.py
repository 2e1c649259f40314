"""What the page of a run shows of its network's tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qat.analysis.layers import LayerSQNR


@dataclass(frozen=True)
class PageTensors:
    """Tensors of a run that no file keeps.

    Attributes:
        rows: Decibels of each layer.
        weights: Layer → float weight, and the weight the quantized network computes with.
        codes: Layer → how often each code of its tensors occurs.
    """

    rows: Sequence[LayerSQNR] = ()
    weights: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    codes: Mapping[str, Any] = field(default_factory=dict)
