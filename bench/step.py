"""Time of a training step: float against quantization-aware, in turns in one process.

    python -m bench.step [--model resnet20] [--batch 128] [--steps 15] [--compile-model] [--out F]

A step is forward, loss, backward and the optimizer's update of :mod:`qat.training` on images that
are already there. Three networks take turns, step by step:

    float             the float network, plain operations
    qat_eager         LSQ on weights (per channel) and activations (per tensor), plain operations
    qat_compiled      the same with compiled bodies (``kernel=compiled``)
    qat_compiled_model  the same with the whole step compiled (``trainer.compile=model``), if asked

``ratio_*`` is a step's time over that of the float step of the same round. What compiling costs
is reported apart: ``first_step_s``.
"""

import argparse
import copy
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from bench._report import interleaved_seconds, paired_ratio, spread, write_report
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.kernels import choose_kernel, current_kernel, set_kernel
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.models.build import build_model
from qat.training.optimizers import float_groups, make_optimizer, quantizer_groups
from qat.training.specs import OptimizerSpec
from qat.training.step import make_step

Step = Callable[[], object]
OPTIMIZER = OptimizerSpec(name="sgd", lr=0.01, momentum=0.9, weight_decay=1e-4, step_lr=0.001)


def lsq_scheme(bits: int) -> Scheme:
    """Per-channel weights, per-tensor activations, first and last layer 8 bit."""
    method = Method("lsq")
    return Scheme(
        weight=TensorSpec(bits=bits, granularity="channel", quantizer=method),
        act=TensorSpec(bits=bits, quantizer=method),
    )


def training_step(
    net: nn.Module, images: Tensor, labels: Tensor, kernel: str, compile: str = "none"
) -> Step:
    """One step as a callable that switches to its own kernel."""
    net.train()
    groups = float_groups(net, OPTIMIZER) + quantizer_groups(net, OPTIMIZER)
    optimizer = make_optimizer(groups, OPTIMIZER)
    loss_of = make_step(compile)

    def step() -> None:
        set_kernel("compiled" if kernel == "compiled" else "eager")
        optimizer.zero_grad()
        loss, _ = loss_of(net, images, labels, 0.0)
        loss.backward()
        optimizer.step()

    return step


def make_steps(
    args: argparse.Namespace, nets: dict[str, nn.Module] | None = None
) -> dict[str, Step]:
    """The networks of the comparison, all from the same float one; put into ``nets`` too."""
    size = (args.channels, args.size, args.size)
    net = build_model(
        "builtin", args.model, classes=10, in_channels=args.channels, image_size=args.size
    )
    images = torch.randn(args.batch, *size, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(args.batch) % 10
    qnet = quantize(net, make_plan(net, lsq_scheme(args.bits), images[:8]))
    calibrate(qnet, [images])
    batch = images, labels
    steps = {"float": training_step(copy.deepcopy(net), *batch, "eager")}
    for kernel in ("eager", "compiled"):
        if kernel == choose_kernel(kernel, 0):  # without a compiler, eager and a notice
            own = copy.deepcopy(qnet)
            steps[f"qat_{kernel}"] = training_step(own, *batch, kernel)
            if nets is not None:
                nets[f"qat_{kernel}"] = own
    if args.compile_model:
        whole = training_step(copy.deepcopy(qnet), *batch, "eager", compile="model")
        steps["qat_compiled_model"] = whole
    return steps


def first_seconds(steps: dict[str, Step]) -> dict[str, float]:
    """Seconds of the first step of each, compilation included."""
    seconds = {}
    for name, step in steps.items():
        start = perf_counter()
        step()
        seconds[name] = round(perf_counter() - start, 4)
    return seconds


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Spread of each step's time, and of its ratio to the float step."""
    before = current_kernel()
    steps = make_steps(args)
    first = first_seconds(steps)
    seconds = interleaved_seconds(steps, args.steps, args.warmup)
    set_kernel(before)
    found: dict[str, Any] = {
        **{key: getattr(args, key) for key in ("model", "batch", "bits", "size", "channels")},
        "first_step_s": first,
    }
    for name, taken in seconds.items():
        found[f"{name}_step_ms"] = spread([1e3 * value for value in taken])
        found[f"{name}_images_per_second"] = spread([args.batch / value for value in taken])
        if name != "float":
            found[f"ratio_{name}"] = paired_ratio(taken, seconds["float"])
    return found


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet20")
    words.add_argument("--batch", type=int, default=128)
    words.add_argument("--bits", type=int, default=4)
    words.add_argument("--size", type=int, default=32, help="height and width of the images")
    words.add_argument("--channels", type=int, default=3)
    words.add_argument("--steps", type=int, default=15, help="timed rounds")
    words.add_argument("--warmup", type=int, default=3)
    words.add_argument("--threads", type=int, help="of torch; default: torch's own")
    words.add_argument("--compile-model", action="store_true", help="the whole step compiled too")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    args = parser().parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    write_report("step", measure(args), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
