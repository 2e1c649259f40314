"""Whole runs on data sets of torchvision and with networks of timm, by name."""

import json

import pytest

from qat.config.compose import compose_points
from qat.models.checkpoint import save_checkpoint
from qat.run.request.identity import known_identity
from tests.command_line import SMALL
from tests.data.sources import tiny_torchvision as tiny
from tests.models.networks import build

QUICK = ["float=smoke", "tracking=none", "tracking.figures=false", "measure.repeats=1"]
TIMES = ("seconds", "latency", "speedup")


def record_of(qat, home, *words):
    code, out, err = qat("run", *words)
    assert code == 0, err
    path = out.strip().splitlines()[-1].removeprefix("record: ")
    return json.loads((home / path).read_text())


def results(record):
    return {k: v for k, v in record["metrics"].items() if not any(word in k for word in TIMES)
            and not k.endswith("_ms")}  # fmt: skip


def test_digits_of_torchvision_from_its_files_to_a_record(qat, home, monkeypatch):
    tiny.mnist(home / "data", monkeypatch)
    words = ["data=torchvision", "data.name=MNIST", *QUICK]
    record = record_of(qat, home, *words)
    data = record["protocol"]["data"]
    assert (data["name"], data["train_images"], data["test_images"]) == ("MNIST", 20, 20)
    assert known_identity(compose_points(words, False)[0].config) == record["id"]


@pytest.mark.slow
def test_streamed_images_give_the_results_of_those_in_memory(qat, home, monkeypatch):
    tiny.gtsrb(home / "data", monkeypatch)
    words = ["data=torchvision", "data.name=GTSRB", "data.val_fraction=0.5", *QUICK]
    words.append("float.batch_size=3")
    memory = record_of(qat, home, *words)
    stream = record_of(qat, home, *words, "data.memory_limit=1", "paths.runs=other",
                       "paths.cache=other_cache")  # fmt: skip
    assert stream["id"] == memory["id"]
    assert results(stream) == results(memory)
    assert stream["protocol"] == memory["protocol"]


def test_a_misspelt_data_set_and_option_are_refused_in_one_line(qat, home):
    code, _, err = qat("run", "data=torchvision", "data.name=cifar100")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean data.name=CIFAR100?" in err
    code, _, err = qat("run", "data=torchvision", "data.name=EMNIST", "+data.options.split=all")
    assert (code, err.count("\n")) == (2, 1)
    assert "data.options.split must be one of balanced, byclass" in err


def test_without_timm_one_line_says_how_to_install_it(qat, home, monkeypatch):
    monkeypatch.setattr("qat.models.names.timm_names", lambda: ())
    code, _, err = qat("run", "model=timm", "model.name=resnet18", *SMALL)
    assert (code, err.count("\n")) == (2, 1)
    assert "pip install 'qatlab[timm]'" in err


@pytest.mark.timm
@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_a_network_of_timm_is_trained_and_quantized(qat, home, placement):
    words = ["model=timm", "model.name=mobilenetv3_small_050", f"scheme.placement={placement}"]
    record = record_of(qat, home, *words, *SMALL)
    assert record["protocol"]["float"]["model"]["name"] == "mobilenetv3_small_050"
    assert "timm" in record["environment"]["versions"]
    assert record["metrics"]["packed_bytes"] < record["metrics"]["float_bytes"] / 3


@pytest.mark.timm
def test_weights_from_a_file_bring_the_preparation_of_images(qat, home):
    save_checkpoint(build("timm", "mobilenetv3_small_050", classes=10), home / "it.safetensors")
    words = ["model=timm", "model.name=mobilenetv3_small_050", *SMALL]
    words += ["model.checkpoint=it.safetensors", "data.train_images=20", "data.test_images=10"]
    code, out, err = qat("run", *words)
    assert code == 0, err
    assert "as timm prepares images for mobilenetv3_small_050.lamb_in1k: resize 256" in out
    record = record_of(qat, home, *words)
    data = record["protocol"]["data"]
    assert (data["resize"], data["crop"]) == (256, 224)
    assert data["mean"] == [0.485, 0.456, 0.406]
    assert known_identity(compose_points(words, False)[0].config) == record["id"]
    written = ["data.resize=256", "data.crop=224", "data.mean=[0.485,0.456,0.406]"]
    written.append("data.std=[0.229,0.224,0.225]")
    assert record_of(qat, home, *words, *written)["id"] == record["id"]


@pytest.mark.timm
def test_attention_and_missing_weights_are_refused_in_one_line(qat, home, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    words = ["model=timm", "model.name=vit_tiny_patch16_224", "data.resize=224", *SMALL]
    code, _, err = qat("run", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert "model.name=vit_tiny_patch16_224 has attention" in err
    words = ["model=timm", "model.name=resnet18.a1_in1k", "model.weights=DEFAULT", *SMALL]
    code, _, err = qat("run", *words)  # before any data are read
    assert (code, err.count("\n")) == (2, 1)
    assert "resnet18.a1_in1k are not in timm's cache" in err
