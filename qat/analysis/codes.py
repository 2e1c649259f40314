"""Number of values of a tensor on each code of its grid, and their positions before rounding.

A position is measured in steps on the axis of the codes: a value ``r`` is at
``r / scale + zero_point``, and between two levels of a codebook by linear interpolation. Slices
with different scales therefore share one axis.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from qat.analysis.layers import LayerSQNR, hooked
from qat.core import affine
from qat.core.codebook import Codebook
from qat.core.qparams import QParams
from qat.layers.twin import QuantTwin
from qat.layers.walk import tensors
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import DynamicQuantizer
from qat.quantizers.mx import MXQuantizer

MOST_BARS = 256
"""Most bars of a figure; a grid with more codes has several codes in each bar."""
BINS = 128
"""Bins of the positions before rounding."""
MARGIN = 0.125
"""Reach of the bins beyond each end of the grid, in lengths of the grid.

The first and the last bin also hold all values beyond them.
"""


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """Counts of a tensor's codes.

    Attributes:
        first: The lowest code.
        codes_a_bar: Number of codes that one count covers; 1 up to 8 bits.
        counts: Number of values on each code of the grid, in ascending order, zeros included.
        edges: Edges of the bins of positions; one more than there are bins.
        before: Number of values in each bin before rounding.

    Example:
        >>> edges = np.array([-2.0, 0.0, 2.0])
        >>> counts = CodeCounts(-1, 1, np.array([3, 5, 2]), edges, np.array([4, 6]))
        >>> int(counts.counts.sum()) == int(counts.before.sum())
        True
    """

    first: int
    codes_a_bar: int
    counts: np.ndarray
    edges: np.ndarray
    before: np.ndarray


def worst_layers(rows: Sequence[LayerSQNR], most: int) -> list[str]:
    """Return the layers with the largest errors in weight or input, in the order of the rows.

    Args:
        rows: Rows of the layers.
        most: Largest number of layers.

    Example:
        >>> rows = [LayerSQNR("a", 30.0, 8.0, 9.0), LayerSQNR("b", 40.0, None, 9.0)]
        >>> worst_layers(rows, 1)
        ['a']
    """

    def loss(row: LayerSQNR) -> float:
        return min(db for db in (row.weight_db, row.act_db, float("inf")) if db is not None)

    kept = {row.name for row in sorted(rows, key=loss)[:most]}
    return [row.name for row in rows if row.name in kept]


@torch.no_grad()
def layer_codes(
    qnet: nn.Module, names: Iterable[str], images: Tensor
) -> dict[str, Mapping[str, CodeCounts]]:
    """Count the codes of the weights and inputs of layers.

    Args:
        qnet: A quantized, calibrated network.
        names: Names of its layers.
        images: One batch of preprocessed images, on the device of the network.

    Returns:
        Layer name → counts under the keys ``weights`` and ``inputs``; a float tensor has none.

    Example:
        >>> import qat
        >>> net, images = nn.Sequential(nn.Linear(4, 3)), torch.eye(4)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> codes = layer_codes(qnet, ["0"], images)["0"]
        >>> {word: int(counts.counts.sum()) for word, counts in codes.items()}
        {'weights': 12, 'inputs': 16}
    """
    layers: dict[str, QuantTwin] = {name: qnet.get_submodule(name) for name in names}  # type: ignore[misc]
    paths = {id(tensor): path for path, tensor in tensors(qnet)}
    # In an integer network a quantizer between layers rounds, not the layer that reads.
    places = {n: paths[id(t.source[0])] if t.source else n for n, t in layers.items()}
    inputs: dict[str, CodeCounts] = {}

    def keep(place: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        rounding = module.input_quantizer if isinstance(module, QuantTwin) else module.quantizer
        if _has_codes(rounding):
            inputs[place] = count_codes(value, rounding)

    with hooked(qnet, sorted(set(places.values())), keep):
        qnet(images)
    counts_by_layer: dict[str, Mapping[str, CodeCounts]] = {}
    for name, layer in layers.items():
        counts: dict[str, CodeCounts] = {}
        if _has_codes(layer.weight_quantizer):
            counts["weights"] = count_codes(layer.folded()[0], layer.weight_quantizer)
        if places[name] in inputs:
            counts["inputs"] = inputs[places[name]]
        if counts:
            counts_by_layer[name] = counts
    return counts_by_layer


@torch.no_grad()
def count_codes(x: Tensor, quantizer: Quantizer) -> CodeCounts:
    """Count the codes of a tensor, and its positions before rounding.

    Args:
        x: The float tensor.
        quantizer: Its quantizer, calibrated.

    Raises:
        ValueError: If the tensor holds a NaN.
    """
    book = quantizer.codebook()
    if book is not None:
        first, levels = 0, book.values.shape[1]
        # Codes need not ascend with their values, and thresholds need not be in the middle.
        codes = book.encode(quantizer.decode(quantizer.encode(x)))
        positions = _between_levels(x, book)
    else:
        dynamic = quantizer.qparams_of(x) if isinstance(quantizer, DynamicQuantizer) else None
        qparams = quantizer.qparams() if dynamic is None else dynamic
        first, levels = qparams.grid.qmin, qparams.grid.levels
        codes, positions = affine.encode(x, qparams), _in_steps(x, qparams)
    counts = torch.bincount(codes.reshape(-1).long().cpu() - first, minlength=levels).numpy()
    codes_a_bar = -(-levels // MOST_BARS)
    padded = np.pad(counts, (0, -levels % codes_a_bar))
    low, high = first - MARGIN * levels, first + (1 + MARGIN) * levels - 1
    positions = positions.clamp(low, high).float().cpu()
    before = torch.histc(positions, BINS, low, high).numpy()
    edges = np.linspace(low, high, BINS + 1)
    return CodeCounts(first, codes_a_bar, padded.reshape(-1, codes_a_bar).sum(1), edges, before)


def _has_codes(quantizer: object) -> TypeGuard[Quantizer]:
    """Whether all values have codes on one axis; those of blocks depend on the block."""
    return isinstance(quantizer, Quantizer) and not isinstance(quantizer, MXQuantizer)


def _in_steps(x: Tensor, qparams: QParams) -> Tensor:
    layout = qparams.layout
    return x / layout.beside(qparams.scale, x) + layout.beside(qparams.zero_point, x)


def _between_levels(x: Tensor, book: Codebook) -> Tensor:
    rows, levels = book.layout.sliced(x).double().contiguous(), book.values.double()
    upper = torch.searchsorted(levels, rows).clamp(1, levels.shape[1] - 1)
    below, above = levels.gather(1, upper - 1), levels.gather(1, upper)
    return upper - 1 + (rows - below) / (above - below).clamp(min=torch.finfo(rows.dtype).tiny)
