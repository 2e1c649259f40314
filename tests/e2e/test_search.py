"""A search by Optuna, killed and asked for again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.command_line import SMALL

pytestmark = [pytest.mark.optuna, pytest.mark.timeout(600)]
WORDS = ["run", "-m", *SMALL, "hydra/sweeper=pareto", "scheme.weight.bits=choice(8,6,5,4,3,2)"]


@pytest.fixture
def start(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")

    def _start(*words):
        paths = {f"QAT_{name.upper()}": str(tmp_path / name) for name in ("runs", "cache", "data")}
        return subprocess.Popen(
            [sys.executable, "-m", "qat", *WORDS, *words],
            env=os.environ | paths | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return _start


def trials(tmp_path):
    import optuna

    storage = f"sqlite:///{tmp_path}/runs/.optuna.db"
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage).trials


@pytest.mark.filterwarnings("ignore")  # optuna 2's own
def test_a_killed_search_is_completed_not_added_to(start, tmp_path):
    process = start("hydra.sweeper.n_trials=5")
    done = 0
    for line in process.stdout:
        done += line.startswith("done ")
        if done == 2:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    out, _ = start("hydra.sweeper.n_trials=5").communicate()
    assert "trials done before" in out
    ended = [t for t in trials(tmp_path) if t.state.name == "COMPLETE"]
    assert len(ended) == 5
    assert not any(t.state.name == "RUNNING" for t in trials(tmp_path))
    records = [json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/run.json")]
    assert {record["status"] for record in records} == {"done"}
    assert "front of top1, packed_bytes, simulated_latency_ms" in out

    out, _ = start("hydra.sweeper.n_trials=5").communicate()
    assert "5 trials done before, 0 to go" in out


@pytest.mark.filterwarnings("ignore")
def test_a_choice_that_cannot_be_run_is_refused_before_the_first_trial(start, tmp_path):
    process = start("scheme.act.bits=choice(8,99)")
    out, _ = process.communicate()
    assert process.returncode == 2
    assert "scheme.act.bits must be 2 to 16, or 32 for off, got 99" in out
    assert not (tmp_path / "runs").exists()
