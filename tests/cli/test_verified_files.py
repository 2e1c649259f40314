"""Every file of a run is the run's own, by its digest, or it is refused by name."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command_line import SMALL

WORDS = [
    *(*SMALL, "+data.options.image_size=8", "data.train_images=64", "data.test_images=64"),
    *("scheme.placement=integer", "measure.runtime_repeats=30", "measure.blocks=2"),
]


@pytest.fixture
def run(finished, home):
    """A run, with what another one of weights in other bits has in ``stranger``."""
    finished("-m", *WORDS, "mode=static", "scheme.weight.bits=8,4")
    mine, other = sorted((home / "runs").glob("[0-9a-f]*"))
    other.rename(home / "stranger")
    return mine


def record_of(run):
    return json.loads((run / "run.json").read_text())


def test_every_file_has_its_digest(run):
    names = {file["path"] for file in record_of(run)["artifacts"].values()}
    for name in ("config.yaml", "plan.json", "packed.safetensors", "layers.json", "sizes.json"):
        assert name in names
    there = {path.name for path in run.iterdir() if path.is_file()}
    assert there - names <= {"run.json", "run.lock"}


@pytest.mark.parametrize("name", ["packed.safetensors", "config.yaml"])
def test_a_strangers_file_is_refused_by_every_command(qat, run, home, name):
    shutil.copy(home / "stranger" / name, run / name)
    if name == "config.yaml":
        (run / name).write_text((run / name).read_text() + "\n")
    for command in (["evaluate"], ["export", "--to", "packed"], ["parity"], ["measure"]):
        code, _, err = qat(command[0], str(run), *command[1:])
        assert code == 2
        assert name in err
        assert "SHA-256 differs" in err
        assert "force=true" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["parity.json", "latency.json", "memory.json", "layers.json"])
def test_a_file_that_was_altered_is_named_and_the_rest_is_shown(qat, run, name):
    there = run / name
    there.write_text(there.read_text().replace("0", "1", 1))
    commands = [["show", str(run)]] if name != "layers.json" else [["compare", str(run), str(run)]]
    for command in commands:
        code, out, err = qat(*command)
        assert code == 0
        assert name in out + err
        assert "SHA-256 differs" in out + err


@pytest.mark.parametrize("name", ["network.onnx", "float.onnx"])
def test_a_network_that_was_replaced_is_not_timed(qat, run, home, name):
    (run / name).write_bytes((run / name).read_bytes() + b"\0")
    code, _, err = qat("measure", str(run))
    assert code == 2
    assert name in err
    assert "SHA-256 differs" in err


def test_an_older_record_is_read_and_called_unverified(qat, run):
    record = record_of(run)
    del record["artifacts"]["config"]
    (run / "run.json").write_text(json.dumps(record))
    code, out, err = qat("evaluate", str(run))
    assert code == 0
    assert "as recorded" in out
    assert "config.yaml is taken unverified" in err
    code, out, _ = qat("show", str(run))
    assert code == 0
    assert "unverified" in out
    assert "config.yaml" in out


def test_a_later_measurement_renews_the_digest(qat, run):
    before = record_of(run)["artifacts"].get("latency")
    code, _, err = qat("measure", str(run), "--threads", "1")
    assert code == 0, err
    after = record_of(run)["artifacts"]["latency"]
    assert after != before
    code, out, _ = qat("show", str(run))
    assert code == 0
    assert "skipped" not in out


def test_a_float_network_that_is_another_is_not_exported(qat, run, home):
    record = record_of(run)
    record["protocol"]["float"]["checkpoint_digest"] = "0" * 64
    (run / "run.json").write_text(json.dumps(record))
    code, _, err = qat("export", str(run), "--to", "onnx-float")
    assert code == 2
    assert "another float network" in err
    assert not Path(home / "runs" / "x").exists()
