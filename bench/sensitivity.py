"""Time of a network's sensitivity: layers before the changed one kept, against everything anew.

    python -m bench.sensitivity [--model resnet20] [--images 1000] [--widths 2 3 4 8]
                                [--slots weight] [--rounds 3] [--checkpoint F] [--out F]

Both take turns in one process, on the same images, and score every layer at every width by
``output_kl`` and ``loss_increase``. ``ratio`` is the time of the first over that of the second, of
the same round, ``cpu_ratio`` of CPU seconds of all threads, which depend less on other jobs;
``same_scores`` says whether all scores are equal, bit for bit. Calibration is in both. Weights are
random (a function of a seed) if no checkpoint is given: time does not depend on them.
"""

import argparse
from pathlib import Path
from time import process_time
from typing import Any

import torch
from torch import Tensor, nn

from bench._report import interleaved_seconds, paired_ratio, spread, write_report
from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import Scheme, TensorSpec
from qat.models.build import build_model
from qat.models.checkpoint import load_checkpoint
from qat.sensitivity.measure import sensitivities
from qat.sensitivity.table import SensitivityTable

METRICS = ("output_kl", "loss_increase")
Batches = list[tuple[Tensor, Tensor]]


def make_case(args: argparse.Namespace) -> tuple[nn.Module, Plan, Batches]:
    """Network, plan and images."""
    sizes: dict[str, Any] = {"in_channels": args.channels, "image_size": args.size}
    net = build_model("builtin", args.model, classes=10, **sizes).eval()
    if args.checkpoint:
        load_checkpoint(net, args.checkpoint)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(args.images, args.channels, args.size, args.size, generator=generator)
    labels = torch.arange(args.images) % 10
    scheme = Scheme(weight=TensorSpec(granularity="channel"), first_last="same")
    batches = list(zip(images.split(args.batch), labels.split(args.batch), strict=True))
    return net, make_plan(net, scheme, images[:8]), batches


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both ways, their ratio, and whether the scores agree."""
    net, plan, batches = make_case(args)
    tables: dict[bool, dict[str, SensitivityTable]] = {}

    cpu_seconds: dict[bool, list[float]] = {True: [], False: []}

    def run(reuse: bool) -> None:
        start = process_time()
        tables[reuse] = sensitivities(
            net,
            plan,
            batches,
            METRICS,
            args.widths,
            calibration=batches[:1],
            slots=args.slots,
            reuse=reuse,
        )
        cpu_seconds[reuse].append(process_time() - start)

    runs = {"reused": lambda: run(True), "naive": lambda: run(False)}
    seconds = interleaved_seconds(runs, args.rounds, warmup=args.warmup)
    given = ("model", "images", "batch", "widths", "slots", "size", "channels")
    return {
        **{key: getattr(args, key) for key in given},
        "layers": len(plan.layers),
        "reused_s": spread(seconds["reused"]),
        "naive_s": spread(seconds["naive"]),
        "ratio": paired_ratio(seconds["reused"], seconds["naive"]),
        "cpu_ratio": paired_ratio(*(cpu_seconds[reuse][args.warmup :] for reuse in (True, False))),
        "same_scores": tables[True] == tables[False],
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet20")
    words.add_argument("--checkpoint", type=Path, help="weights of the network")
    words.add_argument("--images", type=int, default=1000)
    words.add_argument("--batch", type=int, default=125)
    words.add_argument("--widths", type=int, nargs="+", default=[2, 3, 4, 8])
    words.add_argument("--slots", nargs="+", default=["weight"], choices=["weight", "act"])
    words.add_argument("--size", type=int, default=32, help="height and width of the images")
    words.add_argument("--channels", type=int, default=3)
    words.add_argument("--rounds", type=int, default=3, help="timed rounds")
    words.add_argument("--warmup", type=int, default=0, help="rounds before those, not timed")
    words.add_argument("--threads", type=int, help="of torch; default: torch's own")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    args = parser().parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    write_report("sensitivity", measure(args), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
