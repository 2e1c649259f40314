"""Symmetric against asymmetric grids on tensors alone: drawn ones, and a real network's own.

    python -m experiments.symmetry.tensors [--checkpoint FILE --data cifar10 --root DIR] [--out DIR]

Writes ``tensors.csv`` (every figure), ``tensors.md`` (SQNR by bits, and what asymmetry gains) and
figures. Without a checkpoint it takes the drawn tensors alone.
"""

import argparse
import csv
import io
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from qat.analysis.distributions import LAWS, draw
from qat.analysis.symmetry import WIDTHS, SymmetryRow, error_steps, quantized, symmetry_rows
from qat.base.atomic import write_atomic
from qat.data.batches import Batches
from qat.data.load import load_data
from qat.data.request import DataRequest
from qat.graph.shapes import layer_calls
from qat.models.build import build_model
from qat.models.checkpoint import load_checkpoint
from qat.tracking.figures.histograms import error_figure, histogram_figure
from qat.tracking.figures.style import save_figures

COUNT = 100_000
IMAGES = 64
SHOWN = ("gauss", "half_normal", "bimodal", "outliers")
SHOWN_BITS = 4


def network_tensors(
    checkpoint: Path, data: str, root: Path
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights and inputs of each conv and linear layer of ResNet-20, on test images."""
    bundle = load_data(
        DataRequest(data, root=root, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    )
    images = Batches(bundle.test, IMAGES, bundle.preprocess).batch(0)[0]
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=32)
    load_checkpoint(net, checkpoint)
    net.eval()
    names = [
        call.name for call in layer_calls(net, images[:1]) if call.kind in ("Conv2d", "Linear")
    ]
    inputs: dict[str, Tensor] = {}
    handles = [_keep_input(net.get_submodule(name), name, inputs) for name in names]
    with torch.no_grad():
        net(images)
    for handle in handles:
        handle.remove()
    weights = {name: net.get_submodule(name).weight.detach() for name in names}
    return weights, inputs


def _keep_input(module: nn.Module, name: str, into: dict[str, Tensor]):
    def hook(_module: nn.Module, args: tuple[Tensor, ...], _output: Tensor) -> None:
        into[name] = args[0].detach()

    return module.register_forward_hook(hook)


def to_csv(groups: Mapping[str, Iterable[SymmetryRow]]) -> str:
    """Every figure of every row."""
    file = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for group, rows in groups.items():
        for found in rows:
            figures = {k: v for k, v in asdict(found.row).items() if k not in ("name", "slot")}
            line = {
                "group": group,
                "tensor": found.tensor,
                "signed": found.signed,
                "range": found.range,
                **figures,
            }
            if writer is None:
                writer = csv.DictWriter(file, list(line), lineterminator="\n")
                writer.writeheader()
            writer.writerow(line)
    return file.getvalue()


def gain_table(rows: Sequence[SymmetryRow]) -> str:
    """Markdown: SQNR of the symmetric grid by bits, and in brackets what asymmetry adds, in dB.

    Of a network's many tensors the median over them is shown.
    """
    lines = [
        f"| tensor | range | {' | '.join(f'{b} bit' for b in WIDTHS)} |",
        f"|---|---|{'---:|' * len(WIDTHS)}",
    ]
    for name in dict.fromkeys(row.tensor for row in rows):
        for range_ in dict.fromkeys(row.range for row in rows):
            cells = [
                _gain([r for r in rows if r.tensor == name and r.range == range_], b)
                for b in WIDTHS
            ]
            lines.append(f"| {name} | {range_} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _gain(rows: Iterable[SymmetryRow], bits: int) -> str:
    values = {row.row.symmetric: row.row.sqnr_db for row in rows if row.row.bits == bits}
    return f"{values[True]:.1f} ({values[False] - values[True]:+.1f})"


def median_rows(rows: Sequence[SymmetryRow], name: str) -> str:
    """One pair of lines for a network's tensors: the median SQNR, and the median gain."""
    lines = []
    for range_ in dict.fromkeys(row.range for row in rows):
        cells = []
        for bits in WIDTHS:
            pairs: dict[str, dict[bool, float]] = {}
            for row in rows:
                if row.range == range_ and row.row.bits == bits and row.row.symmetric is not None:
                    pairs.setdefault(row.tensor, {})[row.row.symmetric] = row.row.sqnr_db
            symmetric = statistics.median(pair[True] for pair in pairs.values())
            gain = statistics.median(pair[False] - pair[True] for pair in pairs.values())
            cells.append(f"{symmetric:.1f} ({gain:+.1f})")
        lines.append(f"| {name}, median | {range_} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figures(tensors: Mapping[str, Tensor], folder: Path) -> list[Path]:
    """Histograms with their grids, and of the errors, at 4 bits."""
    found = {}
    for name in SHOWN:
        x = tensors[name]
        for symmetric, word in ((True, "symmetric"), (False, "asymmetric")):
            quantizer = quantized(x, SHOWN_BITS, symmetric, "minmax")
            after = quantizer(x).detach()
            grid, qparams = quantizer.grid, quantizer.qparams()
            codes = torch.arange(grid.qmin, grid.qmax + 1)
            levels = (codes - qparams.zero_point) * qparams.scale
            title = f"{name}, {word}, {SHOWN_BITS} bit"
            found[f"{name}_{word}"] = histogram_figure(title, x, after, levels, "value")
            if name == "gauss":
                step = float(qparams.scale)
                assert torch.allclose((after - x) / step, error_steps(x, quantizer))
                found[f"{name}_{word}_error"] = error_figure(title, x, after, step)
    return save_figures(found, folder)


def main() -> None:
    """Compute and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, help="of ResNet-20")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--root", type=Path, default=Path("data"), help="where DATA.npz is")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    drawn = {name: draw(name, COUNT) for name in LAWS}
    groups = {"drawn": symmetry_rows(drawn)}
    table = gain_table(groups["drawn"])
    if options.checkpoint:
        weights, inputs = network_tensors(options.checkpoint, options.data, options.root)
        for name, tensors in (("weights", weights), ("inputs", inputs)):
            groups[f"resnet20 {name}"] = symmetry_rows(tensors)
            table += median_rows(groups[f"resnet20 {name}"], f"ResNet-20 {name}")
    write_atomic(options.out / "tensors.csv", to_csv(groups))
    write_atomic(options.out / "tensors.md", table)
    figures(drawn, options.out / "figures")
    print(table)


if __name__ == "__main__":
    main()
