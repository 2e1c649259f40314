"""The lines about a run's data and checkpoint."""

import pytest

from qat.models.checkpoint import save_checkpoint
from qat.run.inputs import print_inputs
from tests.run.networks import Small

OPTIONS = {
    "clado": {},
    "learned": {
        "epochs": 1,
        "optimizer": "sgd",
        "choice_lr": 0.1,
        "price_weight": 1.0,
        "lr": 0.1,
        "images": 1,
    },
}


def test_every_part_of_the_data_has_a_line(make_prepared, capsys):
    print_inputs(make_prepared())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "data synthetic"
    assert [line.split()[:3] for line in lines[1:]] == [
        ["train", "15", "images"],
        ["val", "3", "images"],
        ["test", "12", "images"],
    ]


def test_a_checkpoint_has_two(make_prepared, capsys, tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(Small(3, 3, 8), path, ((0.5,) * 3, (0.25,) * 3))
    print_inputs(make_prepared(model__checkpoint=str(path)))
    text = capsys.readouterr().out
    # Two convolutions (one bias), a linear layer, and five tensors of the batch norm.
    assert "checkpoint " in text
    assert "10 tensors loaded" in text


def test_fewer_images_than_asked_for_have_a_line(make_prepared, capsys):
    print_inputs(make_prepared(calibrate__images=16))
    line = "  calibrate.images=16: takes all 15 images, there are no more"
    assert line in capsys.readouterr().out.splitlines()
    print_inputs(make_prepared("mixed", calibrate__images=15, sensitivity__images=99))
    assert [line for line in capsys.readouterr().out.splitlines() if "all" in line] == [
        "  sensitivity.images=99: takes all 15 images, there are no more"
    ]


@pytest.mark.parametrize(("allocator", "option"), [("clado", "check"), ("learned", "images")])
def test_images_of_an_allocator_are_counted_too(make_prepared, capsys, allocator, option):
    few = {"calibrate__images": 1, "sensitivity__images": 1, "sensitivity__metric": "output_kl"}
    for asked in (15, 16):
        given = {**OPTIONS[allocator], option: asked}
        words = {"allocate__name": allocator, "allocate__options": given}
        print_inputs(make_prepared("mixed", **few, **words))
    lines = [line for line in capsys.readouterr().out.splitlines() if "takes all" in line]
    assert lines == [f"  allocate.options.{option}=16: takes all 15 images, there are no more"]


@pytest.mark.parametrize("mode", ["float", "dynamic"])
def test_modes_that_do_not_calibrate_ask_for_no_images(make_prepared, capsys, mode):
    print_inputs(make_prepared(mode, calibrate__images=16))
    assert "takes all" not in capsys.readouterr().out
