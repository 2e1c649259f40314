"""Runs in both memory formats: alike to float tolerance, each repeatable and resumable."""

import signal

import pytest

from tests.command_line import SMALL
from tests.e2e.test_resume import metrics, run, start, stop_when

QAT = ["run", *SMALL, "mode=qat", "scheme=w4a4", "trainer.max_epochs=12"]
FORMATS = ("contiguous", "channels_last")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kernel", ["eager", "compiled"])
@pytest.mark.parametrize("memory_format", FORMATS)
def test_a_killed_training_ends_as_an_undisturbed_one(home, memory_format, kernel):
    words = [*QAT, f"trainer.memory_format={memory_format}", f"kernel={kernel}"]
    assert run(home, "undisturbed", *words)[0] == 0
    process = start(home, "runs", *words)
    stop_when(home, process, "runs/*/checkpoints/last.ckpt", signal.SIGKILL)
    assert run(home, "runs", *words)[0] == 0
    assert metrics(home, "runs") == metrics(home, "undisturbed")


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_formats_agree_and_have_their_own_runs(home, placement):
    """One float network, trained in one format, calibrated and evaluated in both."""
    assert run(home, "float", "run", *SMALL, "mode=float")[0] == 0
    (checkpoint,) = (home / "float-cache").glob("float/*.safetensors")
    words = ["run", *SMALL, f"model.checkpoint={checkpoint}", f"scheme.placement={placement}"]
    for name in FORMATS:
        assert run(home, name, *words, f"trainer.memory_format={name}")[0] == 0
    (plain,), (last,) = (metrics(home, name).items() for name in FORMATS)
    assert plain[0] != last[0]
    for name in ("loss", "float_loss", "logit_sqnr_db"):
        assert last[1][name] == pytest.approx(plain[1][name], rel=0.02), name
    assert last[1]["float_loss"] == pytest.approx(plain[1]["float_loss"], rel=1e-5)
    assert last[1]["packed_bytes"] == plain[1]["packed_bytes"]
