"""Running from a layer on gives what running everything gives, bit for bit."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qat.models.build import build_model
from qat.sensitivity.prefix import PrefixRunner, Runner, make_runner


class Branches(nn.Module):
    """A shortcut, a concatenation, a layer that is called twice, and work in place."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.left = nn.Conv2d(4, 4, 3, padding=1)
        self.right = nn.Conv2d(4, 4, 1)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x, scale=2.0):
        x = self.act(self.stem(x))
        y = self.left(x)
        y += self.right(x)
        y = F.relu(self.twice(self.twice(y)), True)
        both = torch.cat([y, x.mul_(scale)], dim=1)
        return self.head(both.mean(dim=(2, 3)))


class ByValue(nn.Module):
    """Cannot be traced."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3 * 8 * 8, 5)

    def forward(self, x):
        x = x.flatten(1)
        return self.head(x if x.sum() > 0 else -x)


def changed(net, path):
    """The module's weights rounded coarsely, for a while."""
    weight = net.get_submodule(path).weight

    class Change:
        def __enter__(self):
            self.before = weight.detach().clone()
            with torch.no_grad():
                weight.copy_((weight * 4).round() / 4)

        def __exit__(self, *_):
            with torch.no_grad():
                weight.copy_(self.before)

    return Change()


def assert_same(net, images, paths, **options):
    batches = images.split(6)
    naive, reused = Runner(net, batches), PrefixRunner(net, batches, **options)
    clean = naive.outputs("")
    for path in reused.order(paths):
        for _ in range(2):
            with changed(naive.net, path):
                expected = naive.outputs(path)
            with changed(reused.net, path):
                assert torch.equal(reused.outputs(path), expected)
            assert not torch.equal(expected, clean)
            assert torch.equal(reused.outputs(path), clean)
    return reused


PATHS = ("head", "twice", "right", "left", "stem")


def test_branches_and_work_in_place(tiny_images):
    net, before = Branches().eval(), tiny_images.clone()
    reused = assert_same(net, tiny_images, PATHS)
    assert torch.equal(tiny_images, before)
    assert reused.order(PATHS) == ["stem", "left", "right", "twice", "head"]


@pytest.mark.parametrize("limit", [0, 3 * 6 * 4 * 8 * 8 * 4])
def test_what_does_not_fit_into_memory_is_run_whole(tiny_images, limit):
    reused = assert_same(Branches().eval(), tiny_images, PATHS, memory_limit_bytes=limit)
    assert None in reused._kept


def test_going_back_starts_again(tiny_images):
    runner = PrefixRunner(Branches().eval(), [tiny_images])
    last = runner.outputs("head")
    assert torch.equal(runner.outputs("stem"), last)


def test_layers_before_the_cut_are_not_run_again(tiny_images):
    runner = PrefixRunner(Branches().eval(), [tiny_images])
    calls = []
    for name, module in runner.net.named_modules():
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
    runner.outputs("left")
    calls.clear()
    runner.outputs("left")
    assert "stem" not in calls
    assert "left" in calls
    runner.outputs("head")
    calls.clear()
    runner.outputs("head")
    assert calls == ["head"]


def test_only_what_is_needed_later_is_kept(tiny_images):
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=8).eval()
    runner = PrefixRunner(net, [tiny_images])
    for path in runner.order([n for n, m in net.named_modules() if isinstance(m, nn.Conv2d)]):
        runner.outputs(path)
        assert len(runner._kept[0]) <= 2  # a block's input, and what is between its layers


def test_a_network_that_cannot_be_traced_is_run_whole(tiny_images):
    runner = make_runner(ByValue(), [tiny_images], 10**9)
    assert type(runner) is Runner
    assert torch.equal(runner.outputs("head"), runner.net(tiny_images))


def test_what_is_kept_never_exceeds_the_limit(tiny_images, monkeypatch):
    limit, seen = 3 * 4 * 8 * 8 * 4 * 4, []  # three parts of four images after the stem
    check = PrefixRunner._let_go_above_limit

    def checked(runner):
        check(runner)
        tensors = [v for kept in runner._kept for v in (kept or {}).values()]
        tensors = [t for t in tensors if t.shape[1:] != (3, 8, 8)]  # the images exist anyway
        seen.append(sum({t.untyped_storage().data_ptr(): t.nbytes for t in tensors}.values()))

    monkeypatch.setattr(PrefixRunner, "_let_go_above_limit", checked)
    runner = PrefixRunner(Branches().eval(), tiny_images.split(4), memory_limit_bytes=limit)
    for path in runner.order(PATHS):
        runner.outputs(path)
    assert 0 < max(seen) <= limit
