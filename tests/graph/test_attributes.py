"""Attributes of operations: by hand, and by torch's own results."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.graph.attributes import attributes, layer_attributes, pair, pool_kind
from qat.graph.operations import UnsupportedOperationError, operations
from qat.graph.trace import trace
from qat.graph.values import run_values

IMAGES = torch.arange(2 * 3 * 7 * 6, dtype=torch.float32).reshape(2, 3, 7, 6)


class Written(nn.Module):
    """A function of the image, and a layer that it may call."""

    def __init__(self, function, layer=None):
        super().__init__()
        self.function, self.layer = function, layer

    def forward(self, x):
        return self.function(self, x)


def read(function, layer=None):
    """The last operation, its attributes and the recorded run."""
    traced = trace(Written(function, layer))
    values = run_values(traced, IMAGES)
    operation = list(operations(traced).values())[-2]
    return operation, attributes(operation, layer, values), values


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_the_padding_of_a_window_gives_the_windows_of_torch(ceil_mode):
    _, window, _ = read(lambda self, x: F.max_pool2d(x, 3, 2, ceil_mode=ceil_mode))
    (top, bottom), (left, right) = window["padding"]
    padded = F.pad(IMAGES, (left, right, top, bottom), value=-1.0)
    expected = F.max_pool2d(IMAGES, 3, 2, ceil_mode=ceil_mode)
    assert torch.equal(F.max_pool2d(padded, window["kernel"], window["stride"]), expected)
    assert right == int(ceil_mode)  # 6 columns: three windows of 3 at stride 2 need 7


def test_a_resize_takes_the_pixels_that_torch_takes():
    _, resize, _ = read(lambda self, x: F.interpolate(x, scale_factor=1.7))
    taken = IMAGES[:, :, list(resize["rows"])][..., list(resize["columns"])]
    assert torch.equal(taken, F.interpolate(IMAGES, scale_factor=1.7))


def test_ranges_of_a_slice_and_parts_of_a_split():
    _, sliced, _ = read(lambda self, x: x[:, 1:, ::2, -1])
    assert sliced == {"ranges": ((1, 3, 1), (0, 7, 2), (5, 6, 1)), "shape": (2, 4)}
    operation, _, values = read(lambda self, x: x.split([1, 2], dim=1)[1])
    split = next(o for o in values.shapes if o.name == "split")
    assert values.shapes[split] == ((2, 1, 7, 6), (2, 2, 7, 6))
    assert operation.kind == "slice"


def test_a_convolution_by_hand():
    layer = nn.Conv2d(3, 6, (4, 3), padding="same", dilation=(1, 2), groups=3)
    traced = trace(Written(lambda self, x: self.layer(x), layer))
    operation = list(operations(traced).values())[1]
    conv = layer_attributes(operation, layer, (2, 3, 7, 6))
    assert conv["padding"] == ((1, 2), (2, 2))
    assert (conv["stride"], conv["dilation"], conv["groups"]) == ((1, 1), (1, 2), 3)


def test_pools_by_the_size_of_their_output():
    kinds = {"global_avg_pool": 1, "avg_pool": (7, 2), "identity": (7, 6)}
    for kind, size in kinds.items():
        operation, _, values = read(lambda self, x, size=size: F.adaptive_avg_pool2d(x, size))
        assert pool_kind(operation, values) == kind
    assert pair(3) == pair([3]) == (3, 3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda self, x: torch.cat([x, x]), "joins images"),
        (lambda self, x: x[:1], "selects images"),
        (lambda self, x: F.adaptive_avg_pool2d(x, 4), "windows of unequal size"),
        (lambda self, x: F.pad(x, (-1, 0)), "crops by a negative pad"),
    ],
)
def test_a_variant_without_an_integer_form_is_refused_with_its_line(function, message):
    with pytest.raises(UnsupportedOperationError, match=rf"at test_attributes\.py:\d+ .*{message}"):
        read(function)
