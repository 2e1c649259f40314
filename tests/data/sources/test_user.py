"""Images from a function of the user's: what it is given, what it may return."""

import sys

import numpy as np
import pytest

from qat.data import DataError, load_data
from qat.data.request import DataRequest
from qat.data.sources.user import load_user

MODULE = "images_of_theirs"
CODE = f"""
import numpy as np
from qat_calls import calls

def made(seed, shade=7, train_images=20, path=None):
    calls.append((seed, shade, train_images, path))
    images = np.full((train_images, 4, 5, 3), shade, np.uint8)
    images[:, 0, 0] = np.arange(train_images)[:, None]
    labels = np.arange(train_images) % 2
    return {{"train_images": images, "train_labels": labels,
            "test_images": images[:10], "test_labels": labels[:10]}}

def anything(**options):
    return made(0, **options)

def needs_a_size(size):
    return made(0)

def a_list():
    return [1]

def one_short():
    arrays = made(0)
    del arrays["test_labels"]
    return arrays

{MODULE.upper()} = 3
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """What ``made`` was called with, one entry a call."""
    (tmp_path / f"{MODULE}.py").write_text(CODE)
    (tmp_path / "qat_calls.py").write_text("calls = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    import qat_calls

    yield qat_calls.calls
    for name in (MODULE, "qat_calls"):
        sys.modules.pop(name, None)


def load(function, **arguments):
    return load_data(DataRequest("user", target=f"{MODULE}:{function}", **arguments))


def test_pixels_and_labels_come_as_they_are_returned(calls):
    data = load("made", val_fraction=0)
    assert data.train.image_shape == (3, 4, 5)
    assert data.train.images[:, 0, 0, 0].tolist() == list(range(20))
    assert data.train.images[3, :, 2, 2].tolist() == [7, 7, 7]
    assert data.test.labels.tolist() == [0, 1] * 5
    assert data.classes == 2


def test_it_is_named_by_its_function(calls):
    assert load("made").name == "made"


def test_the_function_gets_what_it_takes_and_options_go_first(calls, tmp_path):
    load("made", split_seed=5)
    load("made", train_images=12, path=tmp_path, options={"seed": 1, "shade": 9})
    assert calls == [(5, 7, 20, None), (1, 9, 12, tmp_path)]


def test_a_function_of_any_options_gets_the_given_ones_alone(calls):
    load("anything", split_seed=5, options={"shade": 9})
    assert calls == [(0, 9, 20, None)]


def test_a_limit_holds_for_a_function_that_knows_none(calls):
    assert len(load("anything", train_images=8, val_fraction=0).train) == 8


def test_the_digest_is_of_the_content(calls):
    first, again = load("made"), load("anything", options={"shade": 7})
    assert first.digest == again.digest
    assert load("made", options={"shade": 8}).digest != first.digest


def test_an_npz_of_the_same_arrays_has_the_same_digest(calls, tmp_path):
    import images_of_theirs

    np.savez(tmp_path / "same.npz", **images_of_theirs.made(0))
    assert load_data(DataRequest("npz", path=tmp_path / "same.npz")).digest == load("made").digest


@pytest.mark.parametrize(
    ("target", "arguments", "message"),
    [
        ("made", {"options": {"tint": 1}}, "has no option 'tint'; it takes seed, shade"),
        ("needs_a_size", {}, "missing a required argument: 'size'; give it in data.options"),
        ("a_list", {}, r"must return a mapping with train_images uint8 .*, got list"),
        ("one_short", {}, "one_short: array test_labels is missing"),
        ("nothing", {}, "has no 'nothing'"),
        (MODULE.upper(), {}, "must name a function, got int"),
    ],
)
def test_what_does_not_fit_is_refused(calls, target, arguments, message):
    with pytest.raises(DataError, match=message):
        load(target, **arguments)


@pytest.mark.parametrize("target", ["no_such_package:made", "made", ":made", "module:"])
def test_a_target_that_names_nothing_is_refused(target):
    with pytest.raises(DataError, match=r"data\.target"):
        load_data(DataRequest("user", target=target))


def test_user_needs_a_target_and_others_take_none():
    with pytest.raises(DataError, match=r"set data\.target=package\.module:function"):
        load_user(DataRequest("user"))
    with pytest.raises(DataError, match="for data user, not synthetic"):
        load_data(DataRequest("synthetic", target="numpy:zeros"))
    with pytest.raises(DataError, match="for data user and torchvision, not synthetic"):
        load_data(DataRequest("synthetic", options={"classes": 3}))
