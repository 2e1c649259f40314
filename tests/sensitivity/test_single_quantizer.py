"""A host without quantizers, and calibrated quantizers that are put in place one at a time."""

import torch

from qat.convert.rules import make_plan
from qat.core.scheme import Scheme
from qat.sensitivity.single_quantizer import Site, fit_quantizers
from tests.sensitivity.networks import Residual


def test_the_host_computes_what_the_float_network_does(case):
    net, plan, batches = case
    fitted = fit_quantizers(net, plan, [2, 32], batches)
    images = batches[0][0]
    assert torch.equal(fitted.host(images), net(images))
    assert set(fitted.quantizers) == {(*slot, 2) for slot in fitted.sites}  # none for float


def test_one_quantizer_is_in_place_during_the_block_only(toy, every_layer):
    net, images, _ = toy
    fitted = fit_quantizers(net, make_plan(net, every_layer, images), [2], [images])
    rounded = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # 0.4 of a step of 1
    with fitted.placed(fitted.host, ("0", "weight"), 2):
        torch.testing.assert_close(fitted.host(images), images @ rounded.T)
    torch.testing.assert_close(fitted.host(images), net(images))


def test_a_tensor_that_two_layers_read_has_one_site(images):
    net = Residual().eval()
    plan = make_plan(net, Scheme(placement="integer"), images)
    sites = fit_quantizers(net, plan, [4], [images]).sites
    assert ("left", "act") in sites
    assert ("right", "act") not in sites
    assert sites["right", "weight"] == Site("right", "weight_quantizer")
    assert sites["left", "act"].attribute == "quantizer"
