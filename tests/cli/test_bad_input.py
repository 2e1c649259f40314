"""A user's mistake: one line with the thing and the cure, exit code 2, nothing started."""

import numpy as np
import pytest
import torch

from qat.models.build import build_model
from tests.command_line import SMALL, TINY


def assert_refused(qat, home, words, *parts):
    code, out, err = qat(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("qat: ")
    assert err.count("\n") == 1, err
    for part in parts:
        assert part in err
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("scheme.weight.bits=0", ["scheme.weight.bits must be 2 to 16", "got 0"]),
        ("scheme.act.bits=33", ["scheme.act.bits must be 2 to 16", "got 33"]),
        (
            "scheme.act.bits=four",
            ["scheme.act.bits must be an integer, 2 to 16, or 32 for off"],
        ),
        ("scheme.weight.bit=4", ["no key 'scheme.weight.bit'", "mean scheme.weight.bits=4?"]),
        ("+scheme.weight.bit=4", ["no key 'scheme.weight.bit'", "mean scheme.weight.bits=4?"]),
        ("schem=w4a4", ["no key 'schem'", "did you mean scheme=w4a4?"]),
        ("w4a4", ["cannot read 'w4a4'", "did you mean scheme=w4a4?"]),
        ("--lr=0.1", ["settings have no dashes", "did you mean optimizer.lr=0.1?"]),
        ("--sweep", ["no flag '--sweep'; did you mean -m?"]),
        ("scheme=w4b4", ["no 'w4b4' in scheme", "did you mean 'w4a4'?"]),
        ("mode=statik", ["mode must be one of float, dynamic, static, qat"]),
        (
            "quantizer@scheme.act=lsqq",
            ["no 'lsqq' in quantizer; it has apot, ", "did you mean 'lsq'?"],
        ),
        ("quantizer@scheme.activation=lsq", ["no group 'quantizer@scheme.activation'"]),
        ("experiment=demo_flot", ["did you mean 'demo_float'?"]),
        ("data=cifar100", ["did you mean data=torchvision data.name=CIFAR100?"]),
        ("optimizer.lr=-1", ["optimizer.lr must be above 0, at most 100, got -1"]),
        ("optimizer.name=sgdd", ["did you mean 'sgd'?"]),
        ("trainer.max_epochs=0", ["trainer.max_epochs must be 1 to 1000000, got 0"]),
        ("seed=-1", ["seed must be 0 to 9223372036854775807, got -1"]),
        ("calibrate.images=0", ["calibrate.images must be 1 to 1000000000, got 0"]),
        ("data.train_images=0", ["data.train_images must be 1 to 1000000000, got 0"]),
        ("data.mean=[0.1]", ["data.mean and data.std go together"]),
        ("data.crop=100", ["crop must be at most the image's"]),
        ("data.resize=4", ["needs images of 8 pixels or more, got 4"]),
        ("scheme=float", ["leaves every layer float", "mode=float"]),
        (
            "scheme.weight.granularity=group",
            ["scheme.weight.group_size and scheme.weight.granularity=group must be set"],
        ),
        ("scheme.act.granularity=group", ["must be one of tensor, channel"]),
        ("model=torchvision", ["model.name has no value"]),
        ("data=torchvision", ["data.name has no value"]),
        ("model.download=true", ["model.download=true downloads the weights that model.weights"]),
        ("model=user", ["model.target=package.module:factory"]),
        ("model.checkpoint=nowhere.pt", ["nowhere.pt is not a file"]),
        ("trainer.accelerator=tpu", ["trainer.accelerator must be one of"]),
        ("scheme.rules=[{mtch: a}]", ["Key 'mtch' not in 'RuleConfig'"]),
        ("scheme.rules=[{match: '*', weight: {bitz: 4}}]", ["did you mean 'bits'?"]),
        ("scheme.rules=[{match: 'conv9*', keep_float: true}]", ["matches no layer; there are"]),
        ("--foo", ["no flag '--foo'"]),
        ("--config-dir=nowhere", ["nowhere is not a folder"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_word_is_refused(qat, home, override, parts):
    assert_refused(qat, home, ["run", *SMALL, override], *parts)


@pytest.mark.parametrize(
    ("overrides", "part"),
    [
        (
            ["quantizer@scheme.act=lsq", "scheme.act.symmetric=false"],
            "scheme.act.symmetric=false (lsq has symmetric=true): set",
        ),
        (
            ["mode=qat", "schedule.warmup_epochs=5"],
            "schedule.warmup_epochs=5 must be below trainer.max_epochs=3",
        ),
        (["mode=dynamic", "scheme.act.granularity=channel"], "must be tensor in mode=dynamic"),
        (["mode=dynamic", "scheme.act.signed=true"], "as ONNX DynamicQuantizeLinear"),
        (["model=torchvision", "model.name=resnet_18"], "similar names: resnet18"),
        (["quantizer@scheme.act=user", "scheme.act.target=no:Q"], "No module named 'no'"),
        (
            ["observer@scheme.act=percentile", "scheme.act.observer_options.percentile=200"],
            "percentile must be above 50, at most 100, got 200",
        ),
    ],
)
def test_a_wrong_combination_is_refused(qat, home, overrides, part):
    assert_refused(qat, home, ["run", *SMALL, *overrides], part)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["table", "--runs", "x"], "see qat table --help; --runs is a flag of qat clean"),
        (["show", "x", "--config-dr", "y"], "see qat show --help"),
        (["table", "--formt", "csv"], "see qat table --help; did you mean '--format'?"),
    ],
)
def test_a_wrong_flag_names_its_command_and_one_that_the_command_has(qat, home, words, hint):
    code, out, err = qat(*words)
    assert (code, out) == (2, "")
    assert err.rstrip().endswith(hint)


@pytest.mark.parametrize("last", ["scheme=w8a8,w4b4", "scheme.weight.bits=8,0", "mode=static,qatt"])
def test_one_bad_point_of_a_sweep_and_none_runs(qat, home, last):
    assert_refused(qat, home, ["run", "-m", *SMALL, last], "point ")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"train_labels": np.arange(40) % 4 - 1}, "labels -1 to 2 are out of range"),
        ({"train_images": np.zeros((40, 8, 8, 3), np.float32)}, "must be uint8, got float32"),
        ({"train_images": np.zeros((40, 8), np.uint8)}, "must be [N,H,W] or [N,H,W,C]"),
        ({"train_labels": np.arange(5)}, "40 train_images but 5 train_labels"),
        ({"test_images": np.zeros((40, 4, 8, 3), np.uint8)}, "give all parts one shape"),
        ({"test_labels": None}, "array test_labels is missing"),
    ],
)
def test_arrays_that_are_wrong_are_refused(qat, home, npz, changes, part):
    npz(**changes)
    assert_refused(
        qat, home, ["run", "data=npz", "data.path=it.npz", "float=smoke"], "it.npz", part
    )


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_damaged_data_file_is_refused(qat, home, npz, keep):
    path = npz()
    path.write_bytes(path.read_bytes()[:keep])
    assert_refused(
        qat, home, ["run", "data=npz", "data.path=it.npz"], "it.npz: not a readable .npz"
    )


def test_missing_data_are_refused_with_what_to_put_there(qat, home):
    assert_refused(qat, home, ["run", "data=npz"], "data=npz needs data.path=FILE")
    assert_refused(
        qat, home, ["run", "data=npz", "data.path=no.npz"], "no.npz: no such file", "uint8"
    )
    assert_refused(qat, home, ["run", "data=folder", "data.path=no"], "no: no such folder")


def test_a_checkpoint_of_another_network_is_refused_with_the_keys(qat, home):
    net = build_model("builtin", "simple_cnn", classes=10, in_channels=3, image_size=32)
    torch.save(net.state_dict(), "cnn.pt")
    words = ["run", *SMALL, "model=resnet20", "model.checkpoint=cnn.pt"]
    assert_refused(
        qat, home, words, "cnn.pt does not fit the model", "missing: conv1.weight", "unknown: fea"
    )


def test_nan_in_weights_is_refused_by_name(qat, home):
    net = build_model("builtin", "simple_cnn", classes=10, in_channels=3, image_size=32)
    net.classifier[1].bias.data[0] = torch.nan
    torch.save(net.state_dict(), "nan.pt")
    words = ["run", *SMALL, "model.checkpoint=nan.pt"]
    assert_refused(qat, home, words, "nan.pt: classifier.1.bias contains NaN or infinity")


def test_a_folder_that_cannot_be_written_is_refused(qat, home):
    (home / "a_file").touch()
    assert_refused(qat, home, ["run", *SMALL, "paths.runs=a_file/runs"], "paths.runs", "QAT_RUNS")
    assert_refused(
        qat, home, ["run", *SMALL, "paths.cache=a_file/cache"], "paths.cache", "QAT_CACHE"
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["table", "nowhere"], "no study 'nowhere'"),
        (["table", "."], "no run.json under ."),
        (["show", "."], "holds no run.json"),
        (["evaluate", "."], "holds no run.json"),
        (["run", "--from", "."], "run.json"),
        (["run", "--from", "nowhere"], "no run 'nowhere' under"),
        (["rum"], "did you mean qat run?"),
        (["scheme=w4a4"], "did you mean qat run scheme=w4a4?"),
        (["table", "--format", "tex"], "did you mean 'latex'?"),
        (["table", "--fromat", "csv"], "did you mean '--format'?"),
        (["run", "--from"], "--from needs a folder"),
        (["list", "modells"], "invalid choice: 'modells'"),
        (["tabel"], "no command 'tabel'; commands are run, table"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_commands_refuse_alike(qat, home, words, part):
    assert_refused(qat, home, words, part)


def test_a_misspelt_key_in_the_users_own_yaml_is_refused(qat, home):
    (home / "mine" / "optimizer").mkdir(parents=True)
    (home / "mine" / "optimizer" / "fast.yaml").write_text("name: sgd\nlr: 0.1\nmomentun: 0.9\n")
    words = ["run", *SMALL, "--config-dir", "mine", "optimizer=fast"]
    assert_refused(qat, home, words, "no key 'optimizer.momentun'", "did you mean 'momentum'?")


def test_tracebacks_are_for_those_who_ask(qat, home, monkeypatch):
    assert "Traceback" not in qat("run", "scheme.weight.bits=0")[2]
    monkeypatch.setenv("QAT_DEBUG", "1")
    assert "Traceback" in qat("run", "scheme.weight.bits=0")[2]


def test_a_full_disk_fails_the_run_and_keeps_what_was_finished(qat, home, monkeypatch):
    assert qat("run", *TINY)[0] == 0
    finished = sorted((home / "runs").glob("*/run.json"))

    def full(tensors, path, metadata=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qat.export.packed.file.save_file", full)
    code, _, err = qat("run", *TINY, "scheme=w4a4")
    assert code == 1
    assert [line for line in err.splitlines() if "No space left" in line] == [err.splitlines()[-1]]
    assert "packed.safetensors" in err
    assert "free space or choose another folder" in err
    records = sorted((home / "runs").glob("*/run.json"))
    assert len(records) == 2
    assert all(path.read_text().endswith("}\n") for path in records)
    code, out, _ = qat("table", "runs")
    assert code == 0
    assert "1 failed, not in the table" in out
    monkeypatch.undo()
    assert finished[0].is_file()
