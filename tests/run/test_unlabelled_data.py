"""Data as practitioners have it: only a test part, a few unlabelled images to calibrate with."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from qat.cli.main import main
from qat.config.compose import compose_points
from qat.models.build import build_model
from qat.run.prepare import prepare
from qat.run.request.data import _load_shared
from qat.run.request.identity import known_identity

SIDE, CLASSES = 16, 10


@pytest.fixture
def files(home):
    """``test.npz`` without labels, ``own`` with images in two depths, ``net.pt``."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (24, SIDE, SIDE, 3), dtype=np.uint8)
    np.savez(home / "test.npz", test_images=images)
    np.savez(home / "labelled.npz", test_images=images, test_labels=np.arange(24) % 7)
    np.savez(home / "own.npz", images=images[::-1])
    (home / "own" / "deeper").mkdir(parents=True)
    for index, pixels in enumerate(images[::-1]):
        place = home / "own" / ("deeper" if index % 2 else ".")
        Image.fromarray(pixels).save(place / f"{index:02d}.png")
    net = build_model(
        "builtin", "simple_cnn", classes=CLASSES, in_channels=3, image_size=SIDE, seed=3
    )
    torch.save({"net": net.state_dict(), "acc": 0.5}, home / "net.pt")
    return home


def words(files, *more, data="test.npz"):
    return [
        "data=npz",
        f"data.path={files / data}",
        f"data.classes={CLASSES}",
        "data.mean=[0.5]",
        "data.std=[0.25]",
        f"model.checkpoint={files / 'net.pt'}",
        "tracking=none",
        "measure.repeats=1",
        "measure.warmup=0",
        *more,
    ]


def record_of(capsys):
    shown = capsys.readouterr()
    last = shown.out.splitlines()[-1]
    assert last.startswith("record: "), shown
    written = Path(last.removeprefix("record: ")).read_text(encoding="utf-8")
    return json.loads(written), shown.out


def prepared(files, *more, data="test.npz"):
    return prepare(compose_points(words(files, *more, data=data), False)[0].config, ())


def test_a_static_run_needs_no_label_at_all(files, capsys):
    asked = words(files, f"calibrate.path={files / 'own'}", "scheme.placement=integer")
    tensors = len(torch.load(files / "net.pt", weights_only=True)["net"])
    assert main(["run", *asked]) == 0
    record, shown = record_of(capsys)
    metrics, unmeasured = record["metrics"], record["unmeasured"]
    for name in ("top1", "float_top1", "loss", "top1_drop", "runtime_top1"):
        assert name not in metrics
        assert unmeasured[name] == "the test images have no labels"
    for name in ("logit_sqnr_db", "packed_bytes", "float_agreement", "latency_ms"):
        assert name in metrics
    assert "parity_top1_agreement" in metrics
    calibration = record["protocol"]["calibration"]
    assert (calibration["split"], calibration["images"]) == ("calibrate.path", 24)
    assert len(calibration["digest"]) == 64
    assert "test         24 images of 16x16, 3 channels: no labels" in shown
    assert "calibration  24 images of 16x16, 3 channels: no labels" in shown
    assert f"{tensors} tensors loaded from net; not loaded: acc" in shown


def test_a_dynamic_run_needs_nothing_to_calibrate_with(files, capsys):
    assert main(["run", *words(files, "mode=dynamic", data="labelled.npz")]) == 0
    record, shown = record_of(capsys)
    assert "top1" in record["metrics"]
    assert "calibration" not in record["protocol"]
    assert "test  24 images of 16x16, 3 channels: 10 classes, 3 to 4 each, 3 without an image " in (
        " ".join(shown.split("\n"))
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["data.train_images=8", "calibrate.path=own.npz"], "have only a test part; leave it out"),
        (["calibrate.path=nowhere"], "nowhere: no such folder or file"),
        (["calibrate.path=own.npz", "data.classes=null"], r"set data\.classes"),
        (["calibrate.path=own.npz", "data.mean=null", "data.std=null"], r"set data\.mean and"),
        (["calibrate.path=grey.npz"], r"are 1x16x16 .* those of the data set are 3x16x16"),
    ],
)
def test_what_is_lacking_is_said(files, more, message):
    np.savez(files / "grey.npz", images=np.zeros((4, SIDE, SIDE), np.uint8))
    with pytest.raises(ValueError, match=message):
        prepared(files, *more)


def test_images_to_calibrate_with_are_part_of_the_name(files):
    folder = prepared(files, "calibrate.path=own")
    file = prepared(files, "calibrate.path=own.npz")
    assert folder.id != file.id  # of files the bytes are digested, of an array the pixels
    asked = compose_points(words(files, "calibrate.path=own"), False)[0]
    assert known_identity(asked.config) == folder.id
    Image.new("RGB", (SIDE, SIDE)).save(files / "own" / "more.png")
    assert known_identity(asked.config) is None
    _load_shared.cache_clear()
    assert prepare(asked.config, ()).id != folder.id


def test_own_images_serve_in_the_place_of_train_too(files):
    plain = compose_points(["data=synthetic", "float=smoke"], False)[0]
    images = np.zeros((4, 32, 32, 3), np.uint8)
    np.savez(files / "other.npz", train_images=images, train_labels=np.arange(4))
    own = compose_points(["data=synthetic", "float=smoke", "calibrate.path=other.npz"], False)[0]
    assert prepare(own.config, ()).id != prepare(plain.config, ()).id
