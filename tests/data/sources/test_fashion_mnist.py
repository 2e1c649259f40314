"""Fashion-MNIST: what is downloaded becomes grey images."""

import torch
import torchvision.datasets

from qat.data.request import DataRequest
from qat.data.sources.fashion_mnist import load_fashion_mnist


class FakeFashionMNIST:
    """What torchvision's class has after a download: tensors."""

    def __init__(self, root, train, download):
        count = 40 if train else 20
        self.data = torch.arange(count * 784).view(count, 28, 28).to(torch.uint8)
        self.targets = torch.arange(count) % 10


def test_fashion_mnist_is_grey(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", FakeFashionMNIST)
    data = load_fashion_mnist(DataRequest("fashion_mnist", root=tmp_path))
    assert data.train.image_shape == (1, 28, 28)
    assert data.train.labels.tolist() == [index % 10 for index in range(40)]
