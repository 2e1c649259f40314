"""Steps in a row: what they leave as it was."""

import pytest
import torch

from qat.layers.walk import quantizers
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_float, change_quantized
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


def test_the_float_network_itself_is_not_changed():
    net = seeded(Residual).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    reports = []
    work = change_float(
        net,
        requested_steps(["fold", "equalize"]),
        lambda step, seconds, made: reports.append((step.name, seconds > 0, made is net)),
    )
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())
    assert work.net is not net
    assert work.net.training
    assert reports == [("fold", True, False), ("equalize", True, False)]
    assert change_float(net, []).net is net


@pytest.mark.parametrize(
    ("names", "placement", "training"),
    [
        (["nearest", "bias_correction"], "academic", False),
        (["nearest", "bias_correction"], "integer", True),
        (["bn_reestimate"], "academic", True),
    ],
)
def test_phases_modes_and_hooks_stay_as_they_were(names, placement, training):
    qnet = quantized(seeded(Residual), placement=placement).train(training)
    first = next(quantizer for _, _, quantizer in quantizers(qnet))
    first.set_phase("off")
    phases = [quantizer.phase for _, _, quantizer in quantizers(qnet)]
    modes = [module.training for module in qnet.modules()]
    work, reports = work_of(qnet), []
    change_quantized(work, requested_steps(names), lambda step, _: reports.append(step.name))
    assert [quantizer.phase for _, _, quantizer in quantizers(qnet)] == phases
    assert [module.training for module in qnet.modules()] == modes
    for net in (qnet, work.float_net):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert reports == names


def test_each_step_has_a_folder_of_its_own_and_seconds_before_count(tmp_path):
    steps = requested_steps(["nearest", "bias_correction"])
    whole = quantized(seeded(Residual))
    change_quantized(work_of(whole, folder=tmp_path), steps)
    assert {path.name for path in tmp_path.iterdir()} == {"0-nearest", "1-bias_correction"}
    again, seconds = quantized(seeded(Residual)), []
    change_quantized(work_of(again, folder=tmp_path), steps, lambda _, s: seconds.append(s))
    with torch.no_grad():
        assert torch.equal(again(IMAGES), whole(IMAGES))
    assert all(value > 0 for value in seconds)
