"""The steps of a run, their images, and the name of a changed float network."""

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.ptq.clip import ChannelClip
from qat.run.request.ptq import ptq_request


def request_of(prepared):
    return ptq_request(prepared.config, prepared.calibration)


def test_without_steps_there_is_no_request(make_prepared):
    assert make_prepared().ptq is None
    assert "ptq" not in make_prepared().protocol
    assert "ptq" not in make_prepared().settings


def test_steps_are_split_and_images_are_those_of_the_calibration(make_prepared):
    prepared = make_prepared(
        ptq=["fold", "nearest"], ptq_options__images=6, ptq_options__batch_size=4
    )
    request = request_of(prepared)
    assert [step.name for step in request.float_steps] == ["fold"]
    assert [step.name for step in request.quantized_steps] == ["nearest"]
    images = [images for images, _ in request.images]
    assert [len(each) for each in images] == [4, 2]
    known = torch.cat([images for images, _ in prepared.calibration.drawn(6, 6)])
    assert torch.equal(torch.cat(images), known)
    assert prepared.protocol["ptq"] == {"steps": "fold, nearest", "options": {}, "images": 6}


def test_only_float_steps_change_the_name_of_the_float_network(make_prepared):
    def digest(*steps):
        return request_of(make_prepared(ptq=list(steps))).changed_digest("abc")

    names = [
        digest("nearest"),
        digest("fold"),
        digest("fold", "equalize"),
        digest("fold", {"equalize": {"absorb": True}}),
    ]
    assert names[0] == "abc"
    assert len(set(names)) == 4
    assert digest("fold", "nearest") == digest("fold")


class Limited(nn.Module):
    """Two convolutions around a ReLU6."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.act, self.b = nn.Conv2d(3, 4, 1), nn.ReLU6(), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.b(self.act(self.a(x))).mean((2, 3))


def test_a_limit_for_each_channel_is_refused_in_placement_integer(make_prepared):
    steps = ["fold", "equalize"]
    net = Limited()
    request = request_of(make_prepared(ptq=steps))
    changed = request.changed(net).net
    assert any(isinstance(module, ChannelClip) for module in changed.modules())
    request = request_of(make_prepared(ptq=steps, scheme__placement="integer"))
    with pytest.raises(InputError, match=r"write \{equalize:\{relu6:relu\}\}"):
        request.changed(net)
    steps[1] = {"equalize": {"relu6": "relu"}}
    request_of(make_prepared(ptq=steps, scheme__placement="integer")).changed(net)
