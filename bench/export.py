"""Integer ONNX files of a torchvision network: seconds to write them, bytes against the float file.

    python -m bench.export [--model resnet18] [--size 224] [--bits 8 4 2] [--repeats 5] [--out FILE]

Random weights: neither time nor size depends on them. ``seconds`` are of
:func:`qat.export.onnx.network.export_onnx` alone, ``ratio`` is bytes over those of the float ONNX
file, ``packed_ratio`` those of the packed file over the float network's safetensors file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

import qat
from bench._report import spread, write_report
from qat.cost.size import float_file_bytes
from qat.export.onnx.network import export_onnx


def measure(model: str, size: int, widths: Sequence[int], repeats: int) -> dict[str, Any]:
    """Seconds and bytes of the float file and of one for each width of weights."""
    net = getattr(torchvision.models, model)().eval()
    images = torch.randn(4, 3, size, size)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        seconds, whole = export(net, path, images, repeats)
        found: dict[str, Any] = {"float": {"seconds": seconds, "bytes": whole}}
        for bits in widths:
            qnet = quantized(net, images, bits)
            seconds, written = export(qnet, path, images, repeats)
            packed = qat.save_packed(qnet, Path(folder) / "packed.safetensors")
            found[f"w{bits}"] = {
                "seconds": seconds,
                "bytes": written,
                "ratio": written / whole,
                "packed_ratio": packed / float_file_bytes(net),
            }
    return found


def quantized(net: nn.Module, images: Tensor, bits: int) -> nn.Module:
    """In placement integer, all layers at one width."""
    weight = qat.TensorSpec(bits=bits, granularity="channel")
    asked = qat.Scheme(weight=weight, placement="integer", first_last="same")
    qnet = qat.quantize(net, qat.make_plan(net, asked, images)).eval()
    qat.calibrate(qnet, [images])
    return qnet


def export(net: nn.Module, path: Path, images: Tensor, repeats: int) -> tuple[Any, int]:
    """Spread of the seconds, and bytes."""
    taken = []
    for _ in range(repeats):
        start = perf_counter()
        export_onnx(net, path, images)
        taken.append(perf_counter() - start)
    return spread(taken), path.stat().st_size


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet18", help="of torchvision")
    words.add_argument("--size", type=int, default=224, help="pixels of a side")
    words.add_argument("--bits", type=int, nargs="+", default=[8, 4, 2], help="of weights")
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--out", type=Path, help="also write the JSON here")
    args = words.parse_args(arguments)
    found = measure(args.model, args.size, args.bits, args.repeats)
    write_report("export", {"model": args.model, "size": args.size, **found}, args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
