"""Images a second over an epoch of training: data, augmentation and step together.

    python -m bench.epoch [--model resnet20] [--data cifar10 --path FILE] [--device cpu|cuda]
                          [--memory-format channels_last] [--precision bf16-mixed]
                          [--compile-model] [--epochs 3] [--out FILE]

An epoch reads all training images in batches of :class:`qat.data.Batches`, shuffled, cropped,
flipped and normalised on the device, and trains on each. These take turns, epoch by epoch, after
one step of each that is not timed (``first_step_s``, compilation included):

    float               the float network
    qat_compiled        LSQ on weights and activations, compiled quantizers (``qat_eager`` without a
                        compiler, or with ``--kernel eager``)
    qat_compiled_model  the same with the whole step compiled, if asked

``ratio_*`` is the time of an epoch over that of the float epoch of the same round.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from bench._report import interleaved_seconds, paired_ratio, spread, write_report
from bench._training import FORMATS, PRECISIONS, Case, TrainingUpdate, in_format
from qat.core.kernels import choose_kernel, current_kernel, has_compiler, set_kernel
from qat.data import DATA_NAMES, Augment, Batches, DataBundle, load_data
from qat.data.request import DataRequest

PAD = 4


class Epochs:
    """One epoch after another of a network.

    Args:
        update: Of the network.
        batches: Of the first epoch.
        memory_format: Of the images.
    """

    def __init__(self, update: TrainingUpdate, batches: Batches, memory_format: str) -> None:
        self.update, self.batches = update, batches
        self.memory_format, self.epoch = FORMATS[memory_format], 0

    def first_step(self) -> float:
        """Seconds of a step on the first batch."""
        start = perf_counter()
        images, labels = self.batches.batch(0)
        self.update(images.contiguous(memory_format=self.memory_format), labels)
        return perf_counter() - start

    def __call__(self) -> None:
        """Train one epoch."""
        for images, labels in self.batches.at_epoch(self.epoch):
            self.update(images.contiguous(memory_format=self.memory_format), labels)
        self.epoch += 1


def make_epochs(args: argparse.Namespace, data: DataBundle) -> dict[str, Epochs]:
    """Float and quantized, by name.

    Args:
        args: Of the command line.
        data: On the device.
    """
    channels, size, _ = data.training.image_shape
    case = Case(
        args.model,
        args.batch,
        size,
        channels,
        args.bits,
        device=args.device,
        precision=args.precision,
    )
    augment = Augment(PAD)
    batches = Batches(data.training, args.batch, data.preprocess, augment, True, drop_last=True)
    net, kernel = case.float_network(), choose_kernel(args.kernel, 0)
    qnet = case.quantized(net)
    plans = {"float": (net, "eager", "none"), f"qat_{kernel}": (qnet, kernel, "none")}
    if args.compile_model and has_compiler():
        plans["qat_compiled_model"] = (qnet, "eager", "model")
    return {
        name: Epochs(
            TrainingUpdate(case, in_format(source, args.memory_format), own, compile),
            batches,
            args.memory_format,
        )
        for name, (source, own, compile) in plans.items()
    }


def measure(args: argparse.Namespace, data: DataBundle) -> dict[str, Any]:
    """Rates of every network, and the ratios of their times.

    Args:
        args: Of the command line.
        data: On the device.
    """
    before = current_kernel()
    epochs: dict[str, Epochs] = make_epochs(args, data)
    first = {name: round(run.first_step(), 4) for name, run in epochs.items()}
    runs: dict[str, Callable[[], object]] = dict(epochs)
    seconds = interleaved_seconds(runs, args.epochs, args.warmup)
    set_kernel(before)
    images = len(epochs["float"].batches) * args.batch
    keys = ("model", "batch", "bits", "device", "precision", "memory_format")
    results: dict[str, Any] = {key: getattr(args, key) for key in keys}
    results |= {"data": data.name, "train_images": len(data.training), "images": images}
    results["first_step_s"] = first
    for name, taken in seconds.items():
        results[f"{name}_images_per_second"] = spread([images / value for value in taken])
        if name != "float":
            results[f"ratio_{name}"] = paired_ratio(taken, seconds["float"])
    return results


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--model", default="resnet20")
    words.add_argument("--data", choices=DATA_NAMES, default="fashion_mini")
    words.add_argument("--path", type=Path, help="file of the data set")
    words.add_argument("--images", type=int, help="training images; default: all")
    words.add_argument("--batch", type=int, default=128)
    words.add_argument("--bits", type=int, default=4)
    words.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    words.add_argument("--precision", choices=PRECISIONS, default="32-true")
    words.add_argument("--memory-format", choices=list(FORMATS), default="channels_last")
    words.add_argument("--kernel", choices=["compiled", "eager"], default="compiled")
    words.add_argument("--compile-model", action="store_true", help="the whole step compiled too")
    words.add_argument("--epochs", type=int, default=3, help="timed, of each")
    words.add_argument("--warmup", type=int, default=0, help="epochs before those, not timed")
    words.add_argument("--threads", type=int, help="of torch; default: torch's own")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def request(args: argparse.Namespace) -> DataRequest:
    """The images that the command line asks for."""
    return DataRequest(args.data, path=args.path, train_images=args.images, val_fraction=0)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    args = parser().parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    data = load_data(request(args)).to(args.device)
    write_report("epoch", measure(args, data), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
