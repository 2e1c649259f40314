"""Batches a second: whole-batch tensor operations against torchvision's transforms per sample.

    python -m bench.data [--data cifar10 --path FILE] [--batch 128] [--out FILE]

Both sides shuffle, crop with 4 pixels of padding, flip and normalise the same training images, and
give float batches to the training process:

    in_memory     qat.data.Batches with Augment and Preprocess, no worker processes
    torchvision   a DataLoader with 2 workers; every sample from a PIL image through
                  RandomCrop(size, 4), RandomHorizontalFlip, ToTensor, Normalize

One round draws ``--images`` images from each side, in turns, and each side has the machine to
itself: workers are started beforehand; before the in-memory side is timed they are left to fill
their queue and fall idle; before torchvision is timed that queue is emptied, so that it is in its
steady state and gets no batch for free. ``ratio`` is in_memory over torchvision, round by round.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import torch
import torchvision
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench._report import paired_ratio, spread, write_report
from qat.data import DATA_NAMES, Augment, Batches, DataBundle, ImageSet, load_data
from qat.data.request import DataRequest

WORKERS = 2
PREFETCH = 2  # batches queued a worker, DataLoader's default
PAD = 4
SETTLE_SECONDS = 0.5  # many times what it takes the workers to fill their queue


class PerSample(Dataset[tuple[Tensor, int]]):
    """One image at a time, from PIL, through torchvision's transforms."""

    def __init__(
        self, image_set: ImageSet, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        """Keep pixels as PIL wants them, ``[N, H, W, C]``."""
        self.images = image_set.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = image_set.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(self.images.shape[1:3], PAD),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The transformed image and its label."""
        pixels = self.images[index]
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        return self.transform(image), self.labels[index]


def in_memory_batches(data: DataBundle, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one epoch after another, without end."""
    epochs = Batches(data.train, batch, data.preprocess, Augment(PAD), shuffle=True, drop_last=True)
    epoch = 0
    while True:
        yield from epochs.at_epoch(epoch)
        epoch += 1


def torchvision_batches(data: DataBundle, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same from a DataLoader whose workers live on between epochs."""
    assert isinstance(data.train, ImageSet)
    loader = DataLoader(
        PerSample(data.train, data.mean, data.std),
        batch,
        shuffle=True,
        drop_last=True,
        num_workers=WORKERS,
        prefetch_factor=PREFETCH,
        persistent_workers=True,
    )
    while True:
        yield from loader


def batches_per_second(source: Iterator[tuple[Tensor, Tensor]], count: int) -> float:
    """Rate at which ``source`` gives ``count`` batches, each read to its last value."""
    start = perf_counter()
    for _ in range(count):
        images, labels = next(source)
        images[-1, -1, -1, -1].item()
        labels[-1].item()
    return count / (perf_counter() - start)


def measure(data: DataBundle, batch: int, rounds: int, images: int) -> dict[str, object]:
    """Both rates over ``rounds`` rounds in turns, and their ratio."""
    count = max(1, images // batch)
    memory, loader = in_memory_batches(data, batch), torchvision_batches(data, batch)
    rates: dict[str, list[float]] = {"in_memory": [], "torchvision": []}
    for round_number in range(-1, rounds):  # the first round warms up
        batches_per_second(loader, WORKERS * PREFETCH)
        slow = batches_per_second(loader, count)
        sleep(SETTLE_SECONDS)
        fast = batches_per_second(memory, count)
        if round_number >= 0:
            rates["torchvision"].append(slow)
            rates["in_memory"].append(fast)
    return {
        "data": data.name,
        "train_images": len(data.train),
        "image_shape": list(data.train.image_shape),
        "batch": batch,
        "batches_per_round": count,
        "workers": WORKERS,
        "torchvision": torchvision.__version__,
        "in_memory_batches_per_second": spread(rates["in_memory"]),
        "torchvision_batches_per_second": spread(rates["torchvision"]),
        "ratio": paired_ratio(rates["in_memory"], rates["torchvision"]),
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--data", choices=DATA_NAMES, default="fashion_mini")
    parser.add_argument("--path", type=Path, help="file of the data set")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--images", type=int, default=10240, help="images a round")
    parser.add_argument("--threads", type=int, help="of torch; default: torch's own")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    args = parser.parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    data = load_data(DataRequest(args.data, path=args.path))
    write_report("data", measure(data, args.batch, args.rounds, args.images), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
