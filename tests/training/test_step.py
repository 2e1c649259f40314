"""The compiled training step, by the results of the plain one."""

import copy

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.kernels import NoCompilerWarning
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.quantizers.declared import DECLARED
from qat.training import step as step_file
from qat.training.step import loss_and_logits, make_step


def test_smoothing_is_cross_entropy_with_a_share_for_all(float_net, images, labels):
    float_net.eval()
    loss, logits = loss_and_logits(float_net, images, labels, 0.3)
    target = 0.7 * torch.nn.functional.one_hot(labels, 3) + 0.1
    by_hand = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss, by_hand)


def test_without_a_compiler_the_plain_step_is_taken_with_a_notice(monkeypatch):
    monkeypatch.setattr(step_file, "has_compiler", lambda: False)
    with pytest.warns(NoCompilerWarning, match=r"install g\+\+"):
        assert make_step("model") is loss_and_logits


def test_a_step_on_a_gpu_needs_its_own_compiler(monkeypatch):
    monkeypatch.setattr(step_file, "has_compiler", lambda: True)
    monkeypatch.setattr(step_file, "has_gpu_compiler", lambda: False)
    with pytest.warns(NoCompilerWarning, match="trainer.compile=model has no effect.*triton"):
        assert make_step("model", "cuda") is loss_and_logits


@pytest.fixture
def counted(monkeypatch):
    """``torch.compile`` replaced by one that counts the calls of what it compiled."""
    calls = []

    def compile(function, **options):
        def run(*args):
            calls.append(args[1].shape)
            return function(*args)

        return run

    monkeypatch.setattr(torch, "compile", compile)
    monkeypatch.setattr(step_file, "has_compiler", lambda: True)
    return calls


def test_only_the_first_shape_is_compiled(counted, float_net, images, labels):
    step = make_step("model")
    for count in (16, 4, 16):
        step(float_net, images[:count], labels[:count], 0.0)
    assert counted == [images[:16].shape] * 2


def spec_of(name, slot):
    """Four bits, or the width of the method that is next to four; LSQ where it has no such slot."""
    declared = DECLARED[name]
    if slot not in declared.slots:
        name, declared = "lsq", DECLARED["lsq"]
    return TensorSpec(
        bits=4 if 4 in declared.bits else declared.bits[0],
        symmetric=declared.symmetric[-1],
        scale=declared.scales[0],
        quantizer=Method(name),
    )


SCHEMES = {
    **{
        name: Scheme(weight=spec_of(name, "weight"), act=spec_of(name, "act"))
        for name in DECLARED
        if name != "dynamic"
    },
    **{
        form: Scheme(weight=TensorSpec(format=form), act=TensorSpec(format=form))
        for form in ("fp8_e4m3", "mxfp4_e2m1")
    },
    "channel": Scheme(
        weight=TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq")),
        act=TensorSpec(bits=4, quantizer=Method("minmax")),
    ),
}


def gradients_of(net, step, images, labels):
    """Loss and gradients of one step."""
    loss, _ = step(net, images[:16], labels[:16], 0.0)
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in net.named_parameters()}


# torch looks at the gradients of what a graph break hands over, and warns itself.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_compiled_is_the_plain_step_and_leaves_the_keys(float_net, scheme, images, labels):
    float_net[4].p = 0.0
    plain_net = quantize(float_net, make_plan(float_net, scheme, images[:8]))
    calibrate(plain_net, [images[:16]])
    compiled_net = copy.deepcopy(plain_net)
    plain = gradients_of(plain_net.train(), loss_and_logits, images, labels)
    compiled = gradients_of(compiled_net.train(), make_step("model"), images, labels)
    assert any(gradient is not None for gradient in plain[1].values())
    torch.testing.assert_close(compiled, plain, rtol=1e-3, atol=1e-5)
    assert plain_net.state_dict().keys() == compiled_net.state_dict().keys()
