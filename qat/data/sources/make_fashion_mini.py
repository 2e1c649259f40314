"""Make the embedded subset from the full Fashion-MNIST files.

    apt-get install dataset-fashion-mnist
    python -m qat.data.sources.make_fashion_mini --from FOLDER --to FILE.npz

where FOLDER is ``/usr/share/datasets/fashion-mnist``.

The subset has equally many images of each class, chosen by the sha256 of seed, part and index in
the full set, in the order of the full set. The same input gives the same arrays on any machine, and
with the same version of zlib the same bytes of the file.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qat.data.errors import DataError
from qat.data.sources.fashion_mini import DIGEST, arrays_digest
from qat.data.sources.idx import read_idx
from qat.data.sources.npz import write_arrays
from qat.data.split import balanced_subset

SEED = 2017
COUNTS = {"train": 5000, "test": 2000}
FILES = {"train": "train", "test": "t10k"}


def subset(folder: Path, part: str, count: int) -> dict[str, NDArray[np.uint8]]:
    """Choose images of one part, with equally many of each class.

    Args:
        folder: Of the IDX files.
        part: ``train`` or ``test``.
        count: Images to choose.

    Returns:
        The arrays ``PART_images`` and ``PART_labels``.

    Raises:
        DataError: If an IDX file is missing or damaged, or images and labels differ in number.
    """
    images = read_idx(_idx_path(folder, f"{FILES[part]}-images-idx3-ubyte"))
    labels = read_idx(_idx_path(folder, f"{FILES[part]}-labels-idx1-ubyte"))
    if len(images) != len(labels):
        raise DataError(
            f"{folder}: {len(images)} {part} images but {len(labels)} labels; get the files again"
        )
    chosen = balanced_subset(torch.from_numpy(labels.astype(np.int64)), count, SEED, part).numpy()
    return {f"{part}_images": images[chosen], f"{part}_labels": labels[chosen]}


def make(folder: Path, target: Path, counts: dict[str, int] | None = None) -> str:
    """Write the subset to an .npz file.

    Args:
        folder: Of the IDX files.
        target: The .npz file to write.
        counts: Part → images; None for those of the embedded set.

    Returns:
        The digest of the arrays.

    Raises:
        DataError: If an IDX file is missing or damaged, or the file cannot be written.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for part, count in (counts or COUNTS).items():
        arrays |= subset(folder, part, count)
    write_arrays(target, arrays, compress=True)
    return arrays_digest(arrays)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 if the arrays are the published ones, 1 otherwise."""
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


def _idx_path(folder: Path, stem: str) -> Path:
    packed = folder / f"{stem}.gz"
    return packed if packed.exists() else folder / stem


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    sys.exit(main())
