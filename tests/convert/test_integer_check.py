"""Networks that have an integer form and networks that have none."""

import pytest
import torch
from torch import nn

from qat.convert.integer_check import check_integer_form
from qat.graph.operations import UnsupportedOperationError
from qat.graph.points import place
from qat.graph.trace import trace
from tests.convert.integer_networks import make_net

IMAGES = torch.zeros(2, 3, 6, 6)


def check(net):
    traced = trace(net)
    check_integer_form(traced, place(traced), IMAGES)


def refusal(net):
    try:
        check(net)
    except UnsupportedOperationError as error:
        return str(error)
    return None


def test_a_network_of_every_kind_of_operation_passes():
    assert refusal(make_net()) is None


REFUSED = {
    "norm": (nn.BatchNorm2d(3, track_running_stats=False), "keeps no running statistics"),
    "weight": (
        nn.utils.spectral_norm(nn.Conv2d(3, 3, 1)),
        "computes its weight again at each call .*unless the parametrization is removed",
    ),
    "pool": (nn.AdaptiveAvgPool2d(4), "windows of unequal size"),
    "padding": (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), "padding_mode=reflect"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_without_an_integer_form_is_refused_with_the_remedy(name):
    layer, message = REFUSED[name]
    with pytest.raises(UnsupportedOperationError, match=rf"{message}.*placement=academic"):
        check(nn.Sequential(nn.Conv2d(3, 3, 1), layer).eval())


def test_a_pool_to_its_own_size_or_to_one_pixel_passes():
    pools = nn.AdaptiveAvgPool2d(6), nn.AdaptiveAvgPool2d(1)
    assert refusal(nn.Sequential(nn.Conv2d(3, 3, 1), *pools)) is None
