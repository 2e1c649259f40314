"""The images of a run, in the batches that its stages use."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.data.draw import drawn
from qat.graph.at_once import images_at_once, largest_tensor_bytes
from qat.run.request.network import NetworkRequest

EXAMPLE_IMAGES = 8
TENSORS_AT_ONCE = 8
"""Tensors as large as the largest one that a fake-quantized layer holds at once, with margin."""


@dataclass(frozen=True)
class RunImages:
    """Batches of a run's data set.

    Attributes:
        data: The data set, on the device of the run.
        network: The float network; its largest tensor limits the size of a batch.
        test_batch_size: Images in a batch of the test set (``evaluate.batch_size``).
        keeps_test_batches: Batches of the test set are never smaller than that: a dynamic range is
            the range of a batch, so the results depend on its size.
    """

    data: DataBundle
    network: NetworkRequest
    test_batch_size: int
    keeps_test_batches: bool = False

    @property
    def labels(self) -> Tensor:
        """Labels of the test set, on the CPU."""
        return self.data.test.labels.cpu()

    def example(self) -> Tensor:
        """Up to eight preprocessed images of train or, without a train part, of another part."""
        images = self.data.train or self.data.to_calibrate or self.data.test
        return Batches(images, EXAMPLE_IMAGES, self.data.preprocess).batch(0)[0]

    @cached_property
    def at_once(self) -> int:
        """Number of images in a batch, so that the largest tensors of the network fit in memory."""
        return images_at_once(self._image_bytes)

    def at_once_within(self, budget_bytes: int) -> int:
        """At most :attr:`at_once`, so that a forward pass fits in a budget; at least 1.

        The last bits of a network's outputs can depend on the batch: use it only where results do
        not.
        """
        return min(self.at_once, images_at_once(self._image_bytes, budget_bytes // TENSORS_AT_ONCE))

    @cached_property
    def _image_bytes(self) -> int:
        """Bytes of the network's largest tensor, for one image."""
        return largest_tensor_bytes(self.network.build().eval(), self.example())

    def test(self) -> Batches:
        """The test set in its order, in batches of at most ``at_once`` images."""
        size = self.test_batch_size
        if not self.keeps_test_batches:
            size = min(size, self.at_once)
        return Batches(self.data.test, size, self.data.preprocess)

    def float_test(self) -> Batches:
        """The same for the float network, whose results have no range of a batch in any mode."""
        size = min(self.test_batch_size, self.at_once)
        return Batches(self.data.test, size, self.data.preprocess)

    def first_test_images(self, count: int, at_once: int | None = None) -> Iterator[Tensor]:
        """The first test images without labels, batch by batch.

        Args:
            count: Number of images; the test set may have fewer.
            at_once: Images in a batch; None puts all into one batch.
        """
        first = self.data.test.subset(torch.arange(min(count, len(self.data.test))))
        size = count if at_once is None else min(at_once, count)
        for images, _ in Batches(first, size, self.data.preprocess):
            yield images

    def drawn_training(self, count: int, seed: int, batch_size: int) -> Batches:
        """Training images in a fixed random order, without augmentation.

        Args:
            count: Number of images.
            seed: Seed of the random choice and order.
            batch_size: Images in a batch.

        Raises:
            DataError: If the data set has no train part.
        """
        return Batches(drawn(self.data.training, count, seed), batch_size, self.data.preprocess)

    def augmented_training(
        self, count: int, seed: int, batch_size: int, augment: Augment | None
    ) -> Batches:
        """Drawn training images as a training takes them: shuffled and augmented.

        Args:
            count: Number of images.
            seed: Seed of the random choice, the order and the augmentation.
            batch_size: Images in a batch.
            augment: Random crops and flips; None changes no image.

        Raises:
            DataError: If the data set has no train part.
        """
        images = drawn(self.data.training, count, seed)
        return Batches(
            images, batch_size, self.data.preprocess, augment=augment, shuffle=True, seed=seed
        )
