"""Make the embedded subset out of the full Fashion-MNIST files.

    apt-get install dataset-fashion-mnist
    python -m qat.data.make_fashion_mini --from /usr/share/datasets/fashion-mnist --to FILE.npz

Equally many images of each class, chosen by the sha256 of seed, part and place in the full set,
kept in their order. The same input gives the same arrays anywhere, and with the same zlib the same
file byte for byte.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qat.data.errors import DataError
from qat.data.fashion_mini import DIGEST, arrays_digest
from qat.data.idx import read_idx
from qat.data.npz import write_arrays
from qat.data.split import balanced_subset

SEED = 2017
COUNTS = {"train": 5000, "test": 2000}
FILES = {"train": "train", "test": "t10k"}


def subset(folder: Path, part: str, count: int) -> dict[str, NDArray[np.uint8]]:
    """The chosen ``count`` images and labels of ``train`` or ``test``, as named arrays.

    Raises:
        DataError: If an IDX file is missing or damaged, or the two disagree in length.
    """
    images = read_idx(_found(folder, f"{FILES[part]}-images-idx3-ubyte"))
    labels = read_idx(_found(folder, f"{FILES[part]}-labels-idx1-ubyte"))
    if len(images) != len(labels):
        raise DataError(
            f"{folder}: {len(images)} {part} images but {len(labels)} labels; get the files again"
        )
    chosen = balanced_subset(torch.from_numpy(labels.astype(np.int64)), count, SEED, part).numpy()
    return {f"{part}_images": images[chosen], f"{part}_labels": labels[chosen]}


def make(folder: Path, target: Path, counts: dict[str, int] | None = None) -> str:
    """Write the subset of the IDX files in ``folder`` to ``target``; the digest of its arrays."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for part, count in (counts or COUNTS).items():
        arrays |= subset(folder, part, count)
    write_arrays(target, arrays, compress=True)
    return arrays_digest(arrays)


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if the file is the published one, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--from", dest="folder", type=Path, required=True, help="IDX files")
    parser.add_argument("--to", dest="target", type=Path, required=True, help="the .npz to write")
    args = parser.parse_args(arguments)
    try:
        digest = make(args.folder, args.target)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    agrees = digest == DIGEST
    verdict = "the published arrays" if agrees else f"NOT the published arrays ({DIGEST})"
    print(f"wrote {args.target}, sha256 of its arrays {digest}: {verdict}")
    return 0 if agrees else 1


def _found(folder: Path, stem: str) -> Path:
    packed = folder / f"{stem}.gz"
    return packed if packed.exists() else folder / stem


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    sys.exit(main())
