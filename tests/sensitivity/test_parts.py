"""Parts replace a batch only where they give the batch's outputs."""

import torch
from torch import nn

from qat.models.build import build_model
from qat.sensitivity.parts import in_parts


class LessTheMean(nn.Module):
    """Each image's output depends on the whole batch."""

    def forward(self, x):
        return x - x.mean(dim=0)


def outputs_of(net, batches):
    with torch.no_grad():
        return torch.cat([net(batch) for batch in batches])


def test_parts_are_the_same_images_in_the_same_order(tiny_images):
    batches = list(tiny_images.split(7))  # 7, 7, 2
    parts = in_parts(nn.ReLU(), batches, outputs_of(nn.ReLU(), batches), images=3)
    assert [len(part) for part in parts] == [3, 2, 2, 3, 2, 2, 2]
    assert torch.equal(torch.cat(parts), tiny_images)
    assert parts[0].data_ptr() == tiny_images.data_ptr()  # no copies


def test_a_network_that_mixes_images_keeps_whole_batches(tiny_images):
    batches = list(tiny_images.split(8))
    parts = in_parts(LessTheMean(), batches, outputs_of(LessTheMean(), batches), images=4)
    assert [len(part) for part in parts] == [8, 8]


def test_one_batch_of_each_shape_is_compared_and_small_batches_are_not(tiny_images):
    batches, seen = list(tiny_images.split(6)), []  # 6, 6, 4

    def net(x):
        seen.append(len(x))
        return x

    in_parts(net, batches, tiny_images, images=4)
    assert seen == [3, 3]


def test_channels_last_stays(tiny_images):
    images = tiny_images.to(memory_format=torch.channels_last)
    for part in in_parts(nn.ReLU(), [images], images.relu(), images=4):
        assert part.is_contiguous(memory_format=torch.channels_last)


def test_outputs_in_parts_are_those_of_the_batch(tiny_images):
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=8).eval()
    expected = outputs_of(net, [tiny_images])
    assert torch.equal(outputs_of(net, in_parts(net, [tiny_images], expected, images=8)), expected)
