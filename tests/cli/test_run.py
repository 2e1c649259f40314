"""qat run on one request, and the same from a notebook."""

import json
from pathlib import Path

import pytest
import torch

import qat as library
from qat.base.errors import RequestError
from qat.cli.run import run_command
from qat.models.build import build_model
from tests.command_line import TINY


@pytest.fixture
def run(finished):
    """A finished run's folder."""
    return finished(*TINY, "scheme=w4a4")[0]


def record_of(folder):
    return json.loads((folder / "run.json").read_text())


def test_from_repeats_a_run_under_its_own_name(qat, home, run):
    before = (run / "run.json").stat().st_mtime_ns
    code, out, _ = qat("run", "--from", str(run))
    assert code == 0
    assert out.strip().endswith(f"record: {run / 'run.json'}")
    assert (run / "run.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_from_takes_changes(qat, home, run):
    code, out, _ = qat("run", "--from", str(run), "scheme.weight.bits=5")
    assert code == 0
    other = Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent
    assert other != run
    assert record_of(other)["plan"]["layers"]["features.1.0"]["weight"]["bits"] == 5
    assert record_of(other)["plan"]["layers"]["features.1.0"]["act"]["bits"] == 4


def test_from_imports_no_code_that_a_record_names(qat, home, run):
    record = record_of(run)
    record["overrides"] = [*record["overrides"], "model=user", "model.target=evil:net"]
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(RequestError, match=r"model\.target=evil:net.*is not imported"):
        run_command(["--from", str(run)])


def test_hydras_own_flags_show_and_run_nothing(home, capsys):
    assert run_command(["mode=qat", "seed=3", "--cfg", "job"]) == 0
    assert "mode: qat\n" in capsys.readouterr().out
    assert run_command(["--info", "defaults"]) == 0
    assert not (home / "runs").exists()


def test_a_run_is_loaded_with_its_networks(home, run):
    loaded = library.load_run(run)
    assert loaded.record.id == run.name
    images, labels = loaded.prepared.images.test().batch(0)
    right = (loaded.qnet(images).argmax(dim=1) == labels).float().mean().item()
    assert right == pytest.approx(loaded.record.metrics["top1"])


def test_a_run_of_the_users_network_needs_its_name_again(qat, home):
    (home / "nets_of_another_user.py").write_text(
        "import torch\ndef net(classes, in_channels, image_size):\n"
        "    size = in_channels * image_size ** 2\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(size, classes))\n"
    )
    words = ["model=user", "model.target=nets_of_another_user:net", "scheme.first_last=same"]
    code, out, _ = qat("run", *TINY, *words)
    assert code == 0
    folder = Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent
    with pytest.raises(ValueError, match="name it again"):
        library.load_run(folder)
    assert library.load_run(folder, "nets_of_another_user:net").qnet is not None
    assert qat("evaluate", str(folder), "--model-target", "nets_of_another_user:net")[0] == 0


def test_profile_has_a_row_a_layer():
    net = build_model("builtin", "simple_cnn", classes=10, in_channels=1, image_size=28).eval()
    images = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    plan = library.make_plan(net, library.Scheme(weight=library.TensorSpec(bits=4)), images)
    qnet = library.quantize(net, plan.change("classifier.1", act=library.TensorSpec(bits=32)))
    library.calibrate(qnet, [images])
    rows = {row.name: row for row in library.profile(qnet, images)}
    assert rows["features.1.0"].bops == rows["features.1.0"].macs * 4 * 8
    assert rows["features.1.0"].weight_bytes == 64 * 32 * 9 // 2
    assert rows["features.0.0"].weight_bits == 8
    assert rows["classifier.1"].act_bits == 32
    assert rows["classifier.1"].act_sqnr_db is None
    assert 0 < rows["features.1.0"].weight_sqnr_db < rows["features.0.0"].weight_sqnr_db
