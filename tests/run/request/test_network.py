"""Which float network a run starts from."""

import pytest
import torch

from qat.data.bundle import DataBundle
from qat.data.in_memory import ImageSet
from qat.data.preprocess import Preprocess
from qat.models.checkpoint import save_checkpoint
from qat.run.request.network import input_shape, network_request
from tests.run.networks import Small


@pytest.fixture
def oblong():
    images = ImageSet(torch.zeros(2, 3, 8, 12, dtype=torch.uint8), torch.tensor([0, 1]))
    return DataBundle("npz", None, None, images, 2, Preprocess((0.5,) * 3, (0.5,) * 3), "")


def test_the_network_fits_the_images_and_classes(make_prepared):
    request = make_prepared().network
    assert (request.classes, request.image_shape) == (3, (3, 8, 8))
    assert request.build()(torch.zeros(2, 3, 8, 8)).shape == (2, 3)
    assert request.checkpoint_line() is None


def test_the_seed_decides_the_initial_weights(make_prepared):
    weights = [make_prepared(float__seed=s).network.build().head.weight for s in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_weights_of_a_checkpoint_replace_the_initial_ones(make_prepared, tmp_path):
    net, path = Small(3, 3, 8), tmp_path / "net.safetensors"
    save_checkpoint(net, path, ((0.5,) * 3, (0.25,) * 3))
    request = make_prepared(model__checkpoint=str(path)).network
    assert torch.equal(request.build().second.bias, net.second.bias)
    assert "10 tensors loaded" in request.checkpoint_line()


def test_images_that_are_not_square_are_refused_by_a_network_that_needs_them(make_config, oblong):
    assert input_shape(oblong) == (3, 8, 12)
    config = make_config(model__source="builtin", model__name="simple_cnn", model__target=None)
    with pytest.raises(ValueError, match="needs square images, got 8x12"):
        network_request(config, oblong, torch.device("cpu"))
