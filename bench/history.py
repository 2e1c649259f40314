"""What looking at every quantizer costs a training.

    python -m bench.history [--every 50] [--steps 15] [--out FILE]

Steps of ResNet-20 (batch 128, LSQ at 4 bits) are timed in turns, plain and noted: with scale,
clipping, flips and SQNR of all layers read, written to the CSV and to TensorBoard. One step in
``--every`` is noted, so the cost of a training is ``(noted - plain) / (every * plain)``, round by
round.
"""

import argparse
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger

from bench._report import interleaved_seconds, spread, write_report
from bench._training import Step
from bench.step import case_of, make_steps
from bench.step import parser as step_parser
from qat.records.side_files.history import HistoryWriter
from qat.training.history import QuantizerHistory


def noted(step: Step, net: Any, folder: Path) -> Step:
    """The step with a look at every quantizer around it."""
    logger = TensorBoardLogger(str(folder), name="tb", version="")
    trainer: Any = SimpleNamespace(
        global_step=0,
        accumulate_grad_batches=1,
        is_last_batch=False,
        is_global_zero=True,
        loggers=[logger],
    )
    module: Any = SimpleNamespace(net=net, step=None)
    history = QuantizerHistory(1, HistoryWriter(folder / "history.csv"))

    def both() -> None:
        history.on_train_batch_start(trainer, module, None, 0)
        step()
        trainer.global_step += 1
        history.on_train_batch_end(trainer, module, None, None, 0)

    return both


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Spread of both steps and of the cost, in percent of the training."""
    case = case_of(args)
    all_steps, nets = make_steps(case, ["contiguous"], ["eager"])
    step = all_steps["qat_eager"]
    steps = {"plain": step, "noted": noted(step, nets["qat_eager"], folder)}
    seconds = interleaved_seconds(steps, args.steps, args.warmup)
    costs = [
        100 * (note - plain) / (args.every * plain)
        for plain, note in zip(seconds["plain"], seconds["noted"], strict=True)
    ]
    return {
        "model": case.model,
        "batch": case.batch,
        "every": args.every,
        **{f"{name}_step_ms": spread([1e3 * s for s in taken]) for name, taken in seconds.items()},
        "cost_percent": spread(costs),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    words = step_parser()
    words.description = __doc__
    words.add_argument("--every", type=int, default=50, help="steps between two looks")
    args = words.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        write_report("history", measure(args, Path(folder)), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
