"""Time of comparing nine observers from one pass, against calibrating with a single one.

    python -m bench.calibration [--model resnet20] [--images 1000] [--batch 128] [--bits 8]
                                [--rounds 5] [--checkpoint F] [--data FILE.npz] [--out F]

``nine`` is one pass that collects complete statistics, and the ranges of nine networks from them.
``one`` is a calibration with ``percentile``, whose histogram takes most of the statistics' time,
and ``minmax`` one with that observer, which takes hardly longer than the forward passes. All take
turns in one process, on the same images. ``ratio`` is ``nine`` over ``one`` of the same round, and
``cpu_ratio`` that of CPU seconds of all threads, which depend less on other jobs; the same with
``_minmax``. ``same_ranges`` says whether each network has the ranges of a pass of its own, bit for
bit. Weights and images are random (a function of a seed) if none are given.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench._report import interleaved_times, paired_ratio, spread, write_report
from qat.convert.calibrate import calibrate, calibrate_from, collect
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.models.build import build_model
from qat.models.checkpoint import load_checkpoint

OBSERVERS = (
    *("minmax", "ema", "percentile", "mse", "entropy"),
    *("std", "aciq_gauss", "aciq_laplace", "octav"),
)
ONE, CHEAPEST = "percentile", "minmax"


def make_images(args: argparse.Namespace) -> Tensor:
    """Normalised images ``(images, channels, size, size)``, from a file or drawn."""
    if args.data is None:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(args.images, args.channels, args.size, args.size, generator=generator)
    with np.load(args.data, allow_pickle=False) as arrays:
        images = torch.from_numpy(arrays["train_images"][: args.images]).float() / 255
    images = images.permute(0, 3, 1, 2)
    mean, std = (f(images, dim=(0, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
    return (images - mean) / std


def make_networks(args: argparse.Namespace, images: Tensor) -> dict[str, nn.Module]:
    """A quantized network for each observer."""
    sizes: dict[str, Any] = {"in_channels": images.shape[1], "image_size": images.shape[-1]}
    net = build_model("builtin", args.model, classes=10, **sizes).eval()
    if args.checkpoint:
        load_checkpoint(net, args.checkpoint)
    net = net.to(memory_format=torch.channels_last)
    networks = {}
    for name in OBSERVERS:
        act = TensorSpec(bits=args.bits, observer=Method(name))
        scheme = Scheme(weight=TensorSpec(granularity="channel"), act=act)
        networks[name] = quantize(net, make_plan(net, scheme, images[:8]))
    return networks


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each way, their ratios, and whether the ranges agree."""
    images = make_images(args).contiguous(memory_format=torch.channels_last)
    batches, networks = images.split(args.batch), make_networks(args, images)

    def nine() -> None:
        statistics = collect(networks[OBSERVERS[0]], batches, complete=True)
        for net in networks.values():
            calibrate_from(net, statistics)

    runs = {
        "nine": nine,
        "one": lambda: calibrate(networks[ONE], batches),
        "minmax": lambda: calibrate(networks[CHEAPEST], batches),
    }
    wall, cpu = interleaved_times(runs, args.rounds, warmup=args.warmup)
    return {
        **{key: getattr(args, key) for key in ("model", "images", "batch", "bits", "size")},
        "observers": len(OBSERVERS),
        **{f"{name}_s": spread(seconds) for name, seconds in wall.items()},
        "ratio": paired_ratio(wall["nine"], wall["one"]),
        "cpu_ratio": paired_ratio(cpu["nine"], cpu["one"]),
        "ratio_minmax": paired_ratio(wall["nine"], wall["minmax"]),
        "cpu_ratio_minmax": paired_ratio(cpu["nine"], cpu["minmax"]),
        "same_ranges": _same_ranges(nine, networks, batches),
    }


def _same_ranges(nine: Any, networks: dict[str, nn.Module], batches: Any) -> bool:
    nine()
    shared = {n: [v.clone() for v in net.state_dict().values()] for n, net in networks.items()}
    for net in networks.values():
        calibrate(net, batches)
    return all(
        torch.equal(a, b)
        for name, net in networks.items()
        for a, b in zip(shared[name], net.state_dict().values(), strict=True)
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet20")
    words.add_argument("--checkpoint", type=Path, help="weights of the network")
    words.add_argument("--data", type=Path, help="an .npz whose first train images are used")
    words.add_argument("--images", type=int, default=1000)
    words.add_argument("--batch", type=int, default=128)
    words.add_argument("--bits", type=int, default=8, help="of activations")
    words.add_argument("--size", type=int, default=32, help="height and width of drawn images")
    words.add_argument("--channels", type=int, default=3, help="of drawn images")
    words.add_argument("--rounds", type=int, default=5, help="timed rounds")
    words.add_argument("--warmup", type=int, default=1, help="rounds before those, not timed")
    words.add_argument("--threads", type=int, help="of torch; default: torch's own")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    args = parser().parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    write_report("calibration", measure(args), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
