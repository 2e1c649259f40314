"""Small images in class folders, for the tests of what reads them."""

import numpy as np
from PIL import Image

NAMES = ("ant", "bee", "cat")


def pixels(label, index, shape):
    seed = label * 1000 + index
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(root, shape=(8, 8, 3), parts=(("train", 10), ("test", 4))):
    for part, count in parts:
        for label, name in enumerate(NAMES):
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                image = Image.fromarray(pixels(label, index, shape))
                image.save(folder / f"{index:02d}.png")
    return root
