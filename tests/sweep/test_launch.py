"""What is composed for launchers, and launchers that are refused."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from qat.base.errors import RequestError
from qat.config.compose import compose_points, composer
from qat.config.words.command_line import Words
from qat.sweep import launch as module
from qat.sweep import launchers
from qat.sweep.launch import check_launchers, launch, launch_here, multirun_config, runs_here


def words(*overrides):
    return Words(overrides, True, None, None)


def test_keys_with_one_value_are_composed_with_the_launcher():
    line = words("seed=3,4", "hydra/launcher=local", "mode=static")
    with composer(None) as hydra:
        config = multirun_config(hydra, line)
    assert (config.seed, config.mode) == (0, "static")  # two seeds: the default
    assert str(config.hydra.launcher._target_).endswith("BasicLauncher")


def test_a_launcher_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setattr(launchers, "find_spec", lambda module: None)
    with pytest.raises(RequestError, match=r"pip install 'qatlab\[joblib\]'"):
        check_launchers(words("hydra/launcher=parallel"))


def test_errors_of_jobs_and_of_a_launcher_are_printed(monkeypatch, capsys):
    class Job:
        @property
        def return_value(self):
            raise OSError("disk\nfull")

    class Launcher:
        def launch(self, overrides, initial_job_idx):
            if not overrides:
                raise RuntimeError("pool died")
            return [Job() for _ in overrides]

    monkeypatch.setattr(module, "runs_here", lambda config: False)
    plugins = module.Plugins.instance()
    monkeypatch.setattr(plugins, "instantiate_launcher", lambda **_: Launcher())
    launch(words(), [SimpleNamespace(overrides=("seed=0",))])
    launch(words(), [])
    assert capsys.readouterr().err.splitlines() == [
        "qat: the launcher ended with OSError: disk full",
        "qat: the launcher ended with RuntimeError: pool died",
    ]


def test_only_the_basic_launcher_without_callbacks_runs_here():
    with composer(None) as hydra:
        config = multirun_config(hydra, words("mode=static"))
    assert runs_here(config)
    config.hydra.launcher._target_ = "some.OtherLauncher"
    assert not runs_here(config)
    config.hydra.launcher._target_ = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    config.hydra.callbacks = {"mine": {"_target_": "package.Callback"}}
    assert not runs_here(config)


def test_points_run_here_one_by_one_and_an_error_outside_of_a_run_is_printed(monkeypatch, capsys):
    ended = []
    prepared = {"a": "prepared a", "c": "prepared c"}
    monkeypatch.setattr(module, "at_hand", prepared)
    monkeypatch.setattr(module, "known_identity", lambda config: config)
    monkeypatch.setattr("qat.sweep.job.run_job", lambda run, alone: ended.append((run, alone)))

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("qat.run.prepare.prepare", fail)
    monkeypatch.setattr(module, "keep_objects", lambda: ended.append("kept"))
    monkeypatch.setattr(module, "has_several_observers", lambda points: False)
    launch_here([SimpleNamespace(config=name, overrides=(), extra_dir=None) for name in "abc"])
    assert ended == [("prepared a", False), "kept", ("prepared c", False)]
    assert not prepared
    assert capsys.readouterr().err == "qat: the launcher ended with OSError: disk full\n"


def test_points_with_several_observers_share_one_complete_calibration(monkeypatch):
    @dataclass(frozen=True)
    class Calibrated:
        complete: bool = False

    @dataclass(frozen=True)
    class Run:
        calibration: Calibrated = Calibrated()

    ended = []
    monkeypatch.setattr(module, "known_identity", lambda config: None)
    monkeypatch.setattr("qat.run.prepare.prepare", lambda *_: Run())
    monkeypatch.setattr("qat.sweep.job.run_job", lambda run, alone: ended.append(run))
    points = compose_points(["mode=static", "observer@scheme.act=minmax,octav"], True, None)
    launch_here(points)
    launch_here(points[:1])
    assert [run.calibration.complete for run in ended] == [True, True, False]
