"""The compiled training step, by the results of the plain one."""

import copy

import pytest
import torch

from qat.core.kernels import NoCompilerWarning
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


# torch looks at the gradients of what a graph break hands over, and warns itself.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.slow
def test_compiled_is_the_plain_step_and_leaves_the_keys(quantized_net, images, labels):
    plain_net = copy.deepcopy(quantized_net)
    compiled = make_step("model")
    losses = []
    for net, step in ((plain_net, loss_and_logits), (quantized_net, compiled)):
        net[4].p = 0.0
        loss, _ = step(net, images[:16], labels[:16], 0.0)
        loss.backward()
        losses.append(loss)
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-6)
    gradients = [
        {n: p.grad for n, p in net.named_parameters()} for net in (plain_net, quantized_net)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)
    assert plain_net.state_dict().keys() == quantized_net.state_dict().keys()
