"""Hydra's own keys are honoured, or refused by name with the cure, in files as on the line."""

import pytest

from qat.base.errors import RequestError
from qat.config.words.hydra_keys import check_experiments, check_hydra_key
from qat.config.yaml_files import files


@pytest.mark.parametrize(
    ("key", "value", "cure"),
    [
        ("hydra.job.chdir", "true", "leave it out"),
        ("hydra.run.dir", "x", "set paths.runs=DIR"),
        ("hydra.sweep.dir", "x", "set paths.runs=DIR"),
        ("hydra.sweep.subdir", "x", "set paths.runs=DIR"),
        ("hydra.output_subdir", ".hydra", "leave it out"),
        ("hydra.mode", "RUN", "`qat run -m`"),
        ("hydra.verbose", "true", "QAT_DEBUG=1"),
        ("hydra.searchpath", "[x]", "--config-dir DIR"),
        ("hydra.job.env_set.A", "1", "set variables"),
        ("hydra.callbacks.x", "1", "hydra/launcher, hydra/sweeper"),
        ("hydra/job_logging", "default", "leave it out"),
    ],
)
def test_what_does_nothing_is_refused(key, value, cure):
    for multirun in (False, True):
        with pytest.raises(RequestError, match=f"{key}={value}".replace("[", ".")) as refused:
            check_hydra_key(key, value, multirun)
        assert cure in str(refused.value)


@pytest.mark.parametrize("key", ["hydra/launcher", "hydra.launcher.n_jobs", "hydra/sweeper"])
def test_launchers_and_sweepers_are_for_sweeps(key):
    check_hydra_key(key, "x", multirun=True)
    with pytest.raises(RequestError, match="is for sweeps: qat run -m"):
        check_hydra_key(key, "x", multirun=False)


@pytest.mark.parametrize(
    ("key", "value"), [("hydra.job.chdir", "false"), ("hydra.output_subdir", "null")]
)
def test_what_is_so_anyway_may_stand(key, value):
    check_hydra_key(key, value, multirun=False)


@pytest.fixture
def mine(tmp_path):
    """Write an experiment of the user's; returns its folder."""

    def write(text, name="mine"):
        path = tmp_path / "experiment" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{text}")
        return tmp_path

    return write


PARAMS = "hydra:\n  sweeper:\n    params:\n      seed: 0,1\n"


def test_a_sweep_in_a_file_is_no_single_run(mine):
    folder = mine(PARAMS)
    with pytest.raises(RequestError, match=r"qat run -m experiment=mine --config-dir \S+$"):
        check_experiments(["mine"], False, folder)
    check_experiments(["mine"], True, folder)
    with pytest.raises(RequestError, match=r"hydra.sweeper.params.seed is read where one exp"):
        check_experiments(["mine", "other"], True, folder)


def test_the_mode_in_a_file(mine):
    folder = mine("hydra:\n  mode: MULTIRUN\n")
    with pytest.raises(RequestError, match="qat run -m experiment=mine"):
        check_experiments(["mine"], False, folder)
    check_experiments(["mine"], True, folder)
    with pytest.raises(RequestError, match=r"experiment=mine: hydra.mode=RUN is not honoured"):
        check_experiments(["mine"], True, mine("hydra:\n  mode: RUN\n"))


def test_a_folder_in_a_file(mine):
    with pytest.raises(RequestError, match=r"experiment=mine: hydra.run.dir=x .*paths.runs"):
        check_experiments(["mine"], False, mine("hydra: {run: {dir: x}}\n"))


def test_a_launcher_in_a_files_defaults(mine):
    folder = mine("defaults:\n  - override /hydra/launcher: parallel\n")
    check_experiments(["mine"], True, folder)
    with pytest.raises(RequestError, match="hydra/launcher is for sweeps"):
        check_experiments(["mine"], False, folder)


def test_the_projects_own_experiments_pass():
    check_experiments(list(files("experiment")), True, None)


def test_params_of_a_file_are_swept(qat, mine):
    folder = mine(PARAMS + "data: {val_fraction: 3}\n")
    code, _, err = qat("run", "-m", "--config-dir", str(folder), "experiment=mine")
    assert (code, "point seed=0 experiment=mine" in err) == (2, True)  # and seed=1 behind it


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("seed=range(5,1)", "seed=range(5,1) has no values to sweep over"),
        ("experiment=glob(x*)", "experiment has bitwidth"),
        ("scheme.weight.bits=choice()", "scheme.weight.bits=choice()"),
    ],
)
def test_a_sweep_over_nothing_is_refused(qat, home, word, part):
    code, out, err = qat("run", "-m", word, "mode=static,qat")
    assert (code, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1
