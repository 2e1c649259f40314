"""Time of a training step: float against quantization-aware, in turns in one process.

    python -m bench.step [--model resnet20] [--method lsq] [--kernels compiled eager]
                         [--compile-model] [--memory-format contiguous channels_last]
                         [--precision 32-true] [--device cpu] [--steps 15] [--out FILE]

A step is forward, loss, backward and the optimizer's update of :mod:`qat.training` on images that
are already there: 128 of 32 pixels, for MobileNetV2 32 of 96 pixels. These take turns, step by
step; with ``_channels_last`` at the end of the name, images and network are in that memory format,
without it in the usual one (contiguous):

    float               the float network, plain operations
    qat_eager           weights (per channel) and activations (per tensor) quantized by the method,
                        plain operations; LSQ where it does not quantize one of them
    qat_compiled        the same with compiled quantizers (``kernel=compiled``)
    qat_compiled_model  the same with the whole step compiled (``trainer.compile=model``), if asked,
                        in the format that is named, else that of the fastest QAT step

``ratio_*`` is a step's time over that of the usual float step of the same round, ``same_format_*``
over that of the float step in the same format, ``cpu_ratio_*`` the first in CPU seconds of all
threads (compare these with ``--threads 1``). What compiling costs is reported apart:
``first_step_s``.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import nn

from bench._report import (
    interleaved_seconds,
    interleaved_times,
    paired_ratio,
    spread,
    write_report,
)
from bench._training import FORMATS, PRECISIONS, Case, Step, in_format, training_step
from qat.core.kernels import choose_kernel, current_kernel, has_compiler, set_kernel
from qat.quantizers.declared import DECLARED

SIZES = {"mobilenet_v2": (32, 96)}
"""Batch and size of the images by model, where it is not 128 of 32 pixels."""
PILOT_ROUNDS = 3
FASTEST = "fastest"
METHODS = [name for name in DECLARED if name != "dynamic"]


def named(kind: str, memory_format: str) -> str:
    """``float`` or ``float_channels_last``: the usual format is not said."""
    return kind if memory_format == "contiguous" else f"{kind}_{memory_format}"


def make_steps(
    case: Case, formats: Sequence[str], kernels: Sequence[str]
) -> tuple[dict[str, Step], dict[str, nn.Module]]:
    """The steps that are not compiled as a whole, and their networks, by name.

    Args:
        case: All networks come from the float one of it.
        formats: The float network is in the contiguous one even if that is not among them.
        kernels: Of the quantizers; ``compiled`` becomes ``eager`` if there is no compiler.
    """
    net = case.float_network()
    qnet = case.quantized(net)
    chosen = dict.fromkeys(choose_kernel(kernel, 0) for kernel in kernels)
    kinds = [("float", "eager", net)] + [(f"qat_{kernel}", kernel, qnet) for kernel in chosen]
    steps, nets = {}, {}
    for memory_format in dict.fromkeys(["contiguous", *formats]):
        for kind, kernel, source in kinds:
            if kind == "float" or memory_format in formats:
                name = named(kind, memory_format)
                nets[name] = in_format(source, memory_format)
                steps[name] = training_step(case, nets[name], memory_format, kernel)
    return steps, nets


def fastest_format(steps: Mapping[str, Step], formats: Sequence[str]) -> str:
    """Format whose QAT step takes the least time in a few rounds.

    Args:
        steps: Of :func:`make_steps`, each called once before.
        formats: To choose from.
    """
    kind = "qat_compiled" if any("qat_compiled" in name for name in steps) else "qat_eager"
    candidates = {name: steps[named(kind, name)] for name in formats}
    seconds = interleaved_seconds(candidates, PILOT_ROUNDS, warmup=1)
    return min(formats, key=lambda name: statistics.median(seconds[name]))


def first_seconds(steps: Mapping[str, Step]) -> dict[str, float]:
    """Seconds of the first step of each, compilation included."""
    seconds = {}
    for name, step in steps.items():
        start = perf_counter()
        step()
        seconds[name] = round(perf_counter() - start, 4)
    return seconds


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Spread of each step's time, and of its ratios to the float steps."""
    before, case = current_kernel(), case_of(args)
    steps, _ = make_steps(case, args.memory_format, args.kernels)
    first = first_seconds(steps)
    if args.compile_model and has_compiler():
        chosen = args.compile_model
        best = fastest_format(steps, args.memory_format) if chosen == FASTEST else chosen
        qnet = in_format(case.quantized(case.float_network()), best)
        whole = training_step(case, qnet, best, "eager", "model")
        steps[named("qat_compiled_model", best)] = whole
        # torch has forgotten what it had compiled: the other steps compile again, from its cache.
        again = first_seconds(steps)
        first[named("qat_compiled_model", best)] = again[named("qat_compiled_model", best)]
    wall, cpu = interleaved_times(steps, args.steps, args.warmup)
    set_kernel(before)
    return {**vars(case), "first_step_s": first, **figures(wall, cpu, case.batch)}


def figures(
    wall: Mapping[str, Sequence[float]], cpu: Mapping[str, Sequence[float]], batch: int
) -> dict[str, dict[str, float]]:
    """Times, rates and ratios of the steps.

    Args:
        wall: Seconds of every step, round by round.
        cpu: CPU seconds alike.
        batch: Images of a step.
    """
    results = {}
    for name, seconds in wall.items():
        results[f"{name}_step_ms"] = spread([1e3 * value for value in seconds])
        results[f"{name}_images_per_second"] = spread([batch / value for value in seconds])
        if name == "float":
            continue
        results[f"ratio_{name}"] = paired_ratio(seconds, wall["float"])
        results[f"cpu_ratio_{name}"] = paired_ratio(cpu[name], cpu["float"])
        same = "float_channels_last"
        if name.endswith("channels_last") and name != same:
            results[f"same_format_{name}"] = paired_ratio(seconds, wall[same])
    return results


def case_of(args: argparse.Namespace) -> Case:
    """What the words ask for, with the sizes of the model where they name none."""
    batch, size = SIZES.get(args.model, (128, 32))
    return Case(
        model=args.model,
        batch=args.batch or batch,
        size=args.size or size,
        channels=args.channels,
        bits=args.bits,
        method=args.method,
        device=args.device,
        precision=args.precision,
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet20", help="built in, or of torchvision")
    words.add_argument("--batch", type=int, help="images of a step; default: by the model")
    words.add_argument("--bits", type=int, default=4)
    words.add_argument("--method", choices=sorted(METHODS), default="lsq", help="quantizer")
    words.add_argument("--size", type=int, help="height and width of the images; default: by model")
    words.add_argument("--channels", type=int, default=3)
    words.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    words.add_argument("--precision", choices=PRECISIONS, default="32-true")
    words.add_argument("--memory-format", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    words.add_argument("--kernels", nargs="+", choices=["compiled", "eager"], default=["compiled"])
    words.add_argument("--steps", type=int, default=15, help="timed rounds")
    words.add_argument("--warmup", type=int, default=3)
    words.add_argument("--threads", type=int, help="of torch; default: torch's own")
    words.add_argument(
        "--compile-model",
        nargs="?",
        const=FASTEST,
        choices=[FASTEST, *FORMATS],
        help="the whole step compiled too, in this format",
    )
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
