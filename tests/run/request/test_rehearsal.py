"""What a run would stumble over at its end is refused before it begins."""

import pytest
import torch

from qat.run.request import rehearsal
from qat.run.request.last_batch import smallest_batch
from tests.command_line import USUAL

FILE = """
from collections import namedtuple

import torch
from torch import nn

Out = namedtuple("Out", ["logits", "aux"])

class Vectors(nn.Module):
    def __init__(self, classes, in_channels, image_size):
        super().__init__()
        self.body = nn.Linear(in_channels * image_size**2, 8)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, classes)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.body(x.flatten(1)))))

class Pair(Vectors):
    def forward(self, x):
        logits = super().forward(x)
        return Out(logits, logits) if self.training else logits

class Mapping(Vectors):
    def forward(self, x):
        return {"features": x, "scores": super().forward(x)}

class Erf(Vectors):
    def forward(self, x):
        return torch.erfinv(super().forward(x).tanh() / 2)

class Leaving(Vectors):
    def train(self, mode=True):
        if mode:
            raise SystemExit(0)
        return super().train(mode)
"""


@pytest.fixture
def network(home, monkeypatch):
    """Words for a network of the file above; a file a test, since modules are kept."""
    monkeypatch.syspath_prepend(str(home))

    def words(name):
        module = f"nets_{home.name}".replace("-", "_")
        (home / f"{module}.py").write_text(FILE)
        return ["model=user", f"model.target={module}:{name}"]

    return words


def refused(qat, home, *words):
    code, out, err = qat("run", *USUAL, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1, err
    assert not (home / "runs").exists()
    return err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["mode=qat", "optimizer=adam", "optimizer.momentum=0.9"], ["optimizer.momentum"]),
        (
            ["float.optimizer.name=adam"],
            ["float.optimizer.momentum=0.9 belongs to sgd", "write optimizer@float.optimizer=adam"],
        ),
        (["mode=qat", "schedule=step", "schedule.gamma=2"], ["schedule.gamma must be above 0"]),
        (["mode=qat", "schedule.min_lr=0.5"], ["is above optimizer.lr=0.01"]),
        (["float.schedule.min_lr=0.5"], ["float.schedule.min_lr=0.5 is above float.optimizer.lr"]),
        (["float.schedule.warmup_epochs=1"], ["must be below float.epochs=1"]),
        (["mode=qat", "schedule=multistep"], ["milestones=[100, 150] lies outside of"]),
        (
            ["schedule@float.schedule=step"],
            ["float.schedule.step_size=30", "take schedule@float.schedule=cosine"],
        ),
        (["data.augment.pad=32"], ["miss the whole image of 32 pixels: set data.augment.pad=4"]),
    ],
)
def test_a_training_that_cannot_be_is_refused_by_its_own_keys(qat, home, words, parts):
    err = refused(qat, home, *words)
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["mode=float", "float.batch_size=461"], "set float.batch_size="),
        (["mode=qat", "trainer.batch_size=461"], "set trainer.batch_size="),
    ],
)
def test_a_last_batch_of_one_vector_is_refused_with_a_size_that_works(
    qat, home, network, words, cure
):
    """462 images remain for training of 512: one is left over."""
    err = refused(qat, home, *network("Vectors"), *words)
    assert "batch norm over single values" in err
    better = int(err.partition(cure)[2])
    assert smallest_batch(462, better) >= 2


def test_a_batch_that_devices_cannot_share_is_refused(qat, home):
    err = refused(qat, home, "mode=qat", "trainer.devices=2", "trainer.batch_size=461")
    assert "leaves a batch of 1 of 462" in err


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Pair", ["returns a Out in training mode", "returns output[0]"]),
        ("Mapping", ["returns a dict in evaluation mode", "returns output['scores']"]),
    ],
)
def test_outputs_that_are_no_tensor_are_refused_with_where_the_logits_are(
    qat, home, network, name, parts
):
    err = refused(qat, home, *network(name))
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("budget", "part"),
    [
        ("average_weight_bits=3", "misses average_weight_bits=3 by"),
        ("uniform_bits=1", "misses weight_bytes="),
    ],
)
def test_a_budget_that_no_choice_meets_is_refused_before_training(qat, home, budget, part):
    err = refused(qat, home, "mode=mixed", "sensitivity.widths=[4,8]", f"allocate.{budget}")
    assert "no plan meets the budget: the cheapest, " in err
    assert part in err


def test_what_the_exporter_refuses_is_refused_before_training_by_line(qat, home, network):
    err = refused(qat, home, *network("Erf"), "scheme.placement=integer")
    assert "truediv() at nets_test" in err
    assert ".py:" in err


def test_code_that_ends_the_process_is_refused(qat, home, network):
    err = refused(qat, home, *network("Leaving"), "mode=float")
    assert "SystemExit: 0 (" in err


@pytest.fixture
def none_before(monkeypatch):
    monkeypatch.setattr(rehearsal, "_rehearsed", set())


def test_a_rehearsal_that_succeeded_is_not_repeated(make_prepared, none_before, monkeypatch):
    prepared = make_prepared()
    rehearsal.rehearse(prepared)
    monkeypatch.setattr(rehearsal, "make_plan", None)
    rehearsal.rehearse(prepared)
    rehearsal.rehearse(make_prepared(seed=1))  # which no outcome depends on
    with pytest.raises(TypeError):
        rehearsal.rehearse(make_prepared(scheme__act__bits=3))


def test_random_numbers_after_a_rehearsal_are_those_before_it(make_prepared, none_before):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    rehearsal.rehearse(make_prepared("qat"))
    assert torch.equal(torch.rand(3), expected)


def test_a_tried_training_changes_neither_weights_nor_statistics(make_prepared):
    prepared = make_prepared()
    net = prepared.network.build().eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    rehearsal._try_training(prepared.data, net, "float.batch_size", 8)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not net.training


def test_a_scheme_that_quantizes_nothing_is_refused(make_prepared, none_before):
    off = {"scheme__weight__bits": 32, "scheme__act__bits": 32, "scheme__first_last": "float"}
    with pytest.raises(ValueError, match="the scheme leaves every layer float"):
        rehearsal.rehearse(make_prepared(**off))


def test_a_feature_that_does_not_exist_is_refused_at_once(make_prepared, none_before):
    prepared = make_prepared("qat", distill__features=["nope"])
    with pytest.raises(KeyError, match=r"distill\.features: the network has no module 'nope'"):
        rehearsal.rehearse(prepared)
