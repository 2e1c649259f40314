"""The lines about a run's data and checkpoint."""

from qat.models.checkpoint import save_checkpoint
from qat.run.inputs import print_inputs
from tests.run.networks import Small


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
