"""Checkpoints: read as data, held against the network, with their normalisation."""

import pickle
import shlex
from argparse import Namespace
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from qat.models.checkpoint import (
    StateDictError,
    load_checkpoint,
    read_normalisation,
    save_checkpoint,
)


def net(seed=0, width=4):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Linear(width, 2))


def same(a, b):
    return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


@pytest.mark.parametrize("name", ["it.pt", "it.pth"])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
@pytest.mark.parametrize("prefix", ["", "module.", "net.", "model."])
def test_state_dicts_in_every_wrapping(tmp_path, name, wrap, prefix):
    other = net(1)
    state = {f"{prefix}{key}": value for key, value in other.state_dict().items()}
    torch.save(wrap(state), tmp_path / name)
    mine = net(0)
    load_checkpoint(mine, tmp_path / name)
    assert same(mine, other)


def test_a_prefix_that_is_the_networks_own_stays(tmp_path):
    mine, other = (nn.Sequential(OrderedDict(model=net(seed))) for seed in (0, 1))
    torch.save(other.state_dict(), tmp_path / "it.pt")
    load_checkpoint(mine, tmp_path / "it.pt")
    assert same(mine, other)


def test_safetensors_with_normalisation(tmp_path):
    other, mine = net(1), net(0)
    save_checkpoint(other, tmp_path / "it.safetensors", ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))
    load_checkpoint(mine, tmp_path / "it.safetensors")
    assert same(mine, other)
    recorded = read_normalisation(tmp_path / "it.safetensors")
    assert recorded == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def test_a_layer_used_in_two_places_is_written_and_read(tmp_path):
    def shared(seed):
        layer = net(seed)[0]
        return nn.Sequential(layer, layer)

    mine, other = shared(0), shared(1)
    save_checkpoint(other, tmp_path / "it.safetensors")
    load_checkpoint(mine, tmp_path / "it.safetensors")
    assert same(mine, other)


def test_no_normalisation_is_none(tmp_path):
    save_checkpoint(net(), tmp_path / "it.safetensors")
    assert read_normalisation(tmp_path / "it.safetensors") is None
    torch.save(net().state_dict(), tmp_path / "it.pt")
    assert read_normalisation(tmp_path / "it.pt") is None


def test_counters_of_batches_may_be_absent(tmp_path):
    state = {k: v for k, v in net(1).state_dict().items() if "num_batches" not in k}
    torch.save(state, tmp_path / "it.pt")
    found = net(0)
    load_checkpoint(found, tmp_path / "it.pt")
    assert same(found, net(1))


def test_another_architecture_is_refused_with_the_keys_that_differ(tmp_path):
    state = net(1).state_dict()
    state["head.weight"] = state.pop("2.weight")
    torch.save(state, tmp_path / "it.pt")
    with pytest.raises(StateDictError, match=r"missing: 2\.weight; unknown: head\.weight"):
        load_checkpoint(net(), tmp_path / "it.pt")
    torch.save(net(1, width=6).state_dict(), tmp_path / "it.pt")
    message = r"of another shape: 0\.weight \(6, 3, 3, 3\) instead of \(4, 3, 3, 3\), .* and 3 more"
    with pytest.raises(StateDictError, match=message):
        load_checkpoint(net(), tmp_path / "it.pt")


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, bad):
    state = net(1).state_dict()
    state["2.bias"][1] = bad
    torch.save(state, tmp_path / "it.pt")
    with pytest.raises(StateDictError, match=r"2\.bias contains NaN or infinity"):
        load_checkpoint(net(), tmp_path / "it.pt")


def test_a_refused_checkpoint_changes_nothing(tmp_path):
    mine = net()
    before = {k: v.clone() for k, v in mine.state_dict().items()}
    state = net(1).state_dict()
    state["2.bias"][1] = torch.nan
    torch.save(state, tmp_path / "it.pt")
    with pytest.raises(StateDictError):
        load_checkpoint(mine, tmp_path / "it.pt")
    assert all(torch.equal(before[k], v) for k, v in mine.state_dict().items())


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    torch.save({"0.weight": Evil()}, tmp_path / "it.pt")
    with pytest.raises(StateDictError, match=r"save only (its|the) state_dict\(\)"):
        load_checkpoint(net(), tmp_path / "it.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["it.pt", "it.safetensors"])
@pytest.mark.parametrize(
    "data", [b"", b"hello", b"not a checkpoint", pickle.dumps([1, 2], protocol=2)]
)
def test_what_is_no_checkpoint_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(StateDictError, match=name):
        load_checkpoint(net(), tmp_path / name)


def test_a_missing_file_and_other_contents_are_named(tmp_path):
    with pytest.raises(StateDictError, match=r"no checkpoint .*nowhere\.pt; check model\."):
        load_checkpoint(net(), tmp_path / "nowhere.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(StateDictError, match="contains no state dict of tensors"):
        load_checkpoint(net(), tmp_path / "list.pt")


@pytest.mark.parametrize(
    ("wrap", "key"),
    [
        (lambda s: {"net": s, "acc": 91.2, "epoch": 3}, "net"),
        (lambda s: {"model_state_dict": s, "optimizer": {"state": {0: s}, "lr": 0.1}}, None),
        (lambda s: {"epoch": torch.tensor(3), "ema": s, "best": torch.tensor([0.1])}, "ema"),
        (lambda s: {"state": {"model": s, "step": 4}}, "state.model"),
        (lambda s: {"generator": net(2, 6).state_dict(), "discriminator": s}, "discriminator"),
    ],
    ids=["net", "beside an optimizer", "tensors beside", "nested", "the one that fits"],
)
@pytest.mark.parametrize("prefix", ["module._orig_mod.", "_orig_mod.module.", "model.net.module."])
def test_weights_are_found_wherever_they_stand(tmp_path, wrap, key, prefix):
    other, mine = net(1), net(0)
    state = {f"{prefix}{name}": tensor for name, tensor in other.state_dict().items()}
    torch.save(wrap(state), tmp_path / "it.pth")
    found = load_checkpoint(mine, tmp_path / "it.pth")
    assert same(mine, other)
    assert (found.key, found.prefix) == (key or "model_state_dict", prefix)


def test_what_averaging_compiling_and_counting_leave_is_dropped(tmp_path):
    other, mine = net(1), net(0)
    averaged = torch.optim.swa_utils.AveragedModel(other)
    state = averaged.state_dict() | {
        "module.0.total_ops": torch.zeros(1),
        "module.total_params": torch.zeros(1),
        "module.2.num_batches_tracked": torch.tensor(4),
    }
    torch.save({"epoch": 3, "model_ema": state}, tmp_path / "it.pt")
    found = load_checkpoint(mine, tmp_path / "it.pt")
    assert same(mine, other)
    assert found.line() == (
        "9 tensors loaded from model_ema without prefix module.; not loaded: n_averaged, "
        "module.0.total_ops, module.total_params, 2.num_batches_tracked and 1 more"
    )


def test_a_part_that_was_compiled_loses_its_name(tmp_path):
    other, mine = net(1), net(0)
    state = {f"{name[0]}._orig_mod{name[1:]}": t for name, t in other.state_dict().items()}
    torch.save(state, tmp_path / "it.pt")
    load_checkpoint(mine, tmp_path / "it.pt")
    assert same(mine, other)


def test_several_that_fit_are_refused_with_the_key_to_set(tmp_path):
    mine = net(0)
    content = {"model": net(1).state_dict(), "ema": net(2).state_dict(), "epoch": 1}
    torch.save(content, tmp_path / "it.pt")
    cure = r"2 times, under model, ema: set .* model\.checkpoint_key=model$"
    with pytest.raises(StateDictError, match=cure):
        load_checkpoint(mine, tmp_path / "it.pt")
    load_checkpoint(mine, tmp_path / "it.pt", "ema")
    assert same(mine, net(2))
    with pytest.raises(StateDictError, match=r"no tensors under .*=swa; there are model, ema"):
        load_checkpoint(mine, tmp_path / "it.pt", "swa")


@pytest.mark.parametrize("extra", [Namespace(lr=0.1), np.float64(0.9), net()], ids=type)
def test_objects_are_refused_with_a_cure_that_works(tmp_path, extra):
    path = tmp_path / "it's.pt"
    other, mine = net(1), net(0)
    torch.save({"args": extra, "model": other.state_dict(), "epoch": 1}, path)
    with pytest.raises(
        StateDictError, match=r"contains objects that are not tensors \(\S+\)"
    ) as caught:
        load_checkpoint(mine, path)
    assert "\n" not in str(caught.value)
    words = shlex.split(
        str(caught.value).partition("only its tensors: ")[2].rpartition(", and use")[0]
    )
    assert words[:2] == ["python", "-c"]
    exec(words[2], {})  # what a person would type
    load_checkpoint(mine, tmp_path / "it's.pt.weights.pt")
    assert same(mine, other)
