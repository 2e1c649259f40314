"""Latency of exported networks: float against integer ones, in every runtime that is asked for.

    python -m bench.latency --model resnet20 [--batch 1 64] [--threads 2]
                            [--runtime onnxruntime openvino] [--out FILE]
    python -m bench.latency float=F.onnx int8=I.onnx --shape 3 32 32 [...]

A model is exported twice first, ``float`` and ``int8`` (weights and activations of 8 bits), with
random weights, on which no time depends. The first file is what the others are compared with. One
fresh process a runtime, the networks in turns (:mod:`qat.export.runtimes.latency`). ``rows`` have
median and quartiles of single inferences, ``speedups`` the time of the first network over that of
the others, block by block, and ``integer_nodes`` how many of the nodes that a runtime executes
compute on integers.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from bench._report import write_report
from bench.export import quantized
from qat.export.onnx.network import export_onnx
from qat.export.runtimes.latency import LatencySpec, measure_latency
from qat.export.runtimes.registry import RUNTIMES, make_runtime
from qat.models.build import build_model
from qat.models.names import BUILTIN
from qat.records.environment import cpu_facts, integer_products, usable_cores


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Rows, speed-ups and integer nodes of every file."""
    files = dict(args.files)
    spec = LatencySpec(tuple(args.batch), tuple(args.threads), args.repeats, args.blocks)
    baseline = args.files[0][0]
    report = measure_latency(files, args.shape, spec, args.runtime, baseline)
    return {
        "shape": args.shape,
        "files": {name: {"path": f.name, "bytes": f.stat().st_size} for name, f in files.items()},
        "integer_products": integer_products(cpu_facts()[1]),
        "integer_nodes": {
            runtime: {name: integer_nodes(runtime, file) for name, file in files.items()}
            for runtime in args.runtime
        },
        "rows": [asdict(row) for row in report.rows],
        "speedups": [asdict(row) for row in report.speedups],
    }


def integer_nodes(runtime: str, file: Path) -> dict[str, int]:
    """Nodes that the runtime executes, and those of them that are integer ones."""
    nodes = make_runtime(runtime).load(file, threads=1).nodes()
    return {"nodes": len(nodes), "integer": sum(node.integer for node in nodes)}


def exported(model: str, folder: Path) -> tuple[list[tuple[str, Path]], list[int]]:
    """Named files of a model, float and integer, and the shape of its images.

    Args:
        model: Built in, or of torchvision.
        folder: For the files.
    """
    size = 32 if model in BUILTIN else 224
    source = "builtin" if model in BUILTIN else "torchvision"
    net = build_model(source, model, classes=10, in_channels=3, image_size=size).eval()
    images = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0))
    files = []
    for name, network in (("float", net), ("int8", quantized(net, images, bits=8))):
        export_onnx(network, folder / f"{name}.onnx", images)
        files.append((name, folder / f"{name}.onnx"))
    return files, [3, size, size]


def named_file(text: str) -> tuple[str, Path]:
    """``NAME=FILE`` in two."""
    name, _, file = text.partition("=")
    if not (name and file):
        raise argparse.ArgumentTypeError(f"{text}: write NAME=FILE.onnx")
    return name, Path(file)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("files", nargs="*", type=named_file, metavar="NAME=FILE.onnx")
    words.add_argument("--model", help="to export instead: built in, 32 pixels, or of torchvision")
    words.add_argument("--shape", nargs=3, type=int, help="channels height width, of files")
    words.add_argument("--batch", nargs="+", type=int, default=[1])
    words.add_argument("--threads", nargs="+", type=int, default=[usable_cores()])
    words.add_argument("--runtime", nargs="+", choices=list(RUNTIMES), default=["onnxruntime"])
    words.add_argument("--repeats", type=int, default=50, help="timed inferences of each")
    words.add_argument("--blocks", type=int, default=10, help="turns of each")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    words = parser()
    args = words.parse_args(arguments)
    if bool(args.files) == bool(args.model) or bool(args.files) != bool(args.shape):
        words.error("give either files and --shape, or --model")
    with TemporaryDirectory() as folder:
        if args.model:
            args.files, args.shape = exported(args.model, Path(folder))
        write_report("latency", measure(args), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
