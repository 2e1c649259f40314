"""Generated images of stripes; the class is the angle of the stripes."""

import numpy as np
from numpy.typing import NDArray

CYCLES, CONTRAST, NOISE = 2.5, 40, 60


def stripes(
    train_images: int = 1200,
    test_images: int = 1200,
    seed: int = 0,
    classes: int = 12,
    image_size: int = 16,
) -> dict[str, NDArray[np.generic]]:
    """Arrays in the layout of an .npz data set; equal arguments give equal arrays.

    A pixel at ``(x, y)`` in 0..1 is
    ``127.5 + CONTRAST sin(2 pi CYCLES (x cos a + y sin a) + phase)``
    plus noise of standard deviation ``NOISE``, with the angle ``a = pi label / classes``.

    Args:
        train_images: Number of training images, over all classes.
        test_images: Number of test images, over all classes.
        seed: Seed of phases and noise.
        classes: Number of angles.
        image_size: Height and width.
    """
    generator = np.random.default_rng(seed)
    arrays: dict[str, NDArray[np.generic]] = {}
    for part, count in (("train", train_images), ("test", test_images)):
        labels = np.arange(count) % classes
        arrays[f"{part}_labels"] = labels
        arrays[f"{part}_images"] = _images(labels * np.pi / classes, image_size, generator)
    return arrays


def _images(
    angles: NDArray[np.float64], size: int, generator: np.random.Generator
) -> NDArray[np.uint8]:
    y, x = np.mgrid[:size, :size] / size
    angle = angles[:, None, None]
    phase = generator.uniform(0, 2 * np.pi, angle.shape)
    waves = np.sin(2 * np.pi * CYCLES * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    noisy = 127.5 + CONTRAST * waves + generator.normal(0, NOISE, waves.shape)
    return noisy.round().clip(0, 255).astype(np.uint8)[..., None]
