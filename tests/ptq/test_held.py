"""Held codes: rounding to nearest gives them again."""

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.packed.network import load_packed, save_packed
from qat.layers.walk import twins
from qat.ptq.held import add_to_bias, hold, quantized_weight, set_folded_weight
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_quantized
from qat.quantizers.declared import DECLARED
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


def other_codes(twin, seed=0):
    """Nearest codes, each moved by -1, 0 or 1 inside the grid."""
    q = twin.weight_quantizer
    codes = q.encode(twin.folded()[0])
    moved = torch.randint(-1, 2, codes.shape, generator=torch.Generator().manual_seed(seed))
    return (codes + moved).clamp(q.grid.qmin, q.grid.qmax).int()


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("bits", [2, 3, 8])
def test_codes_come_back_in_every_mode_and_file(placement, granularity, bits, tmp_path):
    net = seeded(Residual)
    qnet = quantized(net, bits, granularity, placement)
    chosen = {name: other_codes(twin) for name, twin in twins(qnet)}
    scales = {name: twin.weight_quantizer.qparams().scale.clone() for name, twin in twins(qnet)}
    for name, twin in twins(qnet):
        hold(twin, chosen[name])
    for mode in (False, True):
        qnet.train(mode)
        with torch.no_grad():
            for name, twin in twins(qnet):
                own = twin.weight_quantizer
                weight = twin.quantized()[0]
                assert torch.equal(own.encode(weight), chosen[name])
                assert torch.equal(own.qparams().scale, scales[name])
                assert torch.equal(weight, own.decode(chosen[name]))
    qnet.eval()
    save_packed(qnet, tmp_path / "net.safetensors")
    again = load_packed(tmp_path / "net.safetensors", net).eval()
    for name, twin in twins(again):
        assert torch.equal(twin.weight_quantizer.encode(twin.weight), chosen[name])
    with torch.no_grad():
        assert torch.equal(again(IMAGES), qnet(IMAGES))


def test_a_batch_norm_that_is_folded_at_each_use_is_divided_out():
    net = seeded(Residual)
    scheme = Scheme(weight=TensorSpec(bits=4), act=TensorSpec(bits=8), placement="integer")
    qnet = quantize(net, make_plan(net, scheme, IMAGES), keep_norms=True)
    calibrate(qnet, [IMAGES])
    twin = dict(twins(qnet))["stem"]
    assert twin.norm is not None
    codes = other_codes(twin)
    hold(twin, codes)
    assert torch.equal(twin.weight_quantizer.encode(twin.folded()[0]), codes)
    before = twin.folded()[1].detach().clone()
    with torch.no_grad():
        add_to_bias(twin, torch.arange(6.0))
    assert torch.allclose(twin.folded()[1], before + torch.arange(6.0), atol=1e-6)


def test_a_layer_without_a_bias_gets_one():
    twin = dict(twins(quantized(seeded(Residual))))["stem"]
    assert twin.bias is None
    add_to_bias(twin, torch.ones(6))
    add_to_bias(twin, torch.ones(6))
    assert twin.bias.tolist() == [2.0] * 6


def test_a_weight_can_be_set():
    twin = dict(twins(quantized(seeded(Residual))))["fc"]
    set_folded_weight(twin, torch.full((4, 6), 0.5))
    assert twin.weight.unique().tolist() == [0.5]


def test_a_weight_without_codes_and_codes_outside_the_grid_are_refused():
    twin = dict(twins(quantized(seeded(Residual))))["fc"]
    with pytest.raises(InputError, match="does not give the chosen codes again"):
        hold(twin, torch.full((4, 6), 99))
    off = dict(twins(quantized(seeded(Residual), bits=32)))["fc"]
    assert quantized_weight(off) is None
    with pytest.raises(InputError, match="has no codes to hold"):
        hold(off, torch.zeros(4, 6, dtype=torch.int32))
    assert isinstance(off.weight_quantizer, nn.Identity)


@pytest.mark.parametrize("name", [n for n, own in DECLARED.items() if "weight" in own.slots])
@pytest.mark.parametrize("step", ["nearest", "gptq"])
def test_codes_of_every_method_are_held(name, step):
    """A method chooses among the codes that the quantizer itself gives."""
    declared, net = DECLARED[name], seeded(Residual)
    weight = TensorSpec(
        bits=max(bits for bits in declared.bits if bits <= 3),
        granularity="channel",
        scale=declared.scales[0],
        quantizer=Method(name),
    )
    qnet = quantize(net, make_plan(net, Scheme(weight, first_last="same"), IMAGES))
    calibrate(qnet, [IMAGES])
    change_quantized(work_of(qnet.eval()), requested_steps([step]))
    for _, twin in twins(qnet):
        assert twin.weight_quantizer.frozen
        assert torch.equal(twin.weight_quantizer(twin.weight), twin.weight)
