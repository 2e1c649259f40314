"""Launchers and searches refuse values that they cannot take, in one line, before any work."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from qat.sweep.launcher_values import _ALLOWED, check_values

FILES = sorted((Path(__file__).parents[2] / "conf" / "hydra").rglob("*.yaml"))


def settings(kind, name, value):
    """As Hydra composes them: nested, with the class of the plugin."""
    whole = OmegaConf.create({"_target_": f"plugins.{kind}"})
    OmegaConf.update(whole, name, value, force_add=True)
    return whole


@pytest.mark.parametrize(
    ("kind", "name", "wrong"),
    [
        *(("JoblibLauncher", "n_jobs", v) for v in ("two", 0, 2.5, True, "2", [1, 2], 10**9)),
        ("JoblibLauncher", "backend", "lokky"),
        ("JoblibLauncher", "timeout", "long"),
        *(("SlurmLauncher", "cpus_per_task", v) for v in ("two", 0, -1, 1.5)),
        *(("SlurmLauncher", "timeout_min", v) for v in ("1h", 0, None)),
        ("SlurmLauncher", "mem_gb", "4GB"),
        ("LocalLauncher", "timeout_min", "1h"),
        ("RayLauncher", "ray.remote.num_cpus", "one"),
        ("RayLauncher", "ray.init.num_cpus", 0.5),
        ("RayLauncher", "ray.init.log_to_driver", 2),
        *(("OptunaSweeper", "n_trials", v) for v in ("many", 0, 1.5)),
        ("OptunaSweeper", "max_failure_rate", 2),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_a_right_one(kind, name, wrong):
    with pytest.raises(ValueError, match=rf"hydra\.launcher\.{name} must be .*, got ") as caught:
        check_values("hydra.launcher", settings(kind, name, wrong))
    text = str(caught.value)
    assert "\n" not in text
    key, _, cure = text.rpartition("write ")[2].partition("=")
    assert key == f"hydra.launcher.{name}"
    check_values("hydra.launcher", settings(kind, name, OmegaConf.create(f"a: {cure}").a))


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        *(("JoblibLauncher", "n_jobs", v) for v in (1, 16, -1, -5, None)),
        *(("JoblibLauncher", "backend", v) for v in ("loky", None)),
        *(("SlurmLauncher", "mem_gb", v) for v in (0.5, 4, None)),
        ("SlurmLauncher", "cpus_per_task", None),
        *(("RayLauncher", "ray.remote.num_gpus", v) for v in (0, 0.5, None)),
        ("RayLauncher", "ray.remote.max_retries", -1),
        ("OptunaSweeper", "max_failure_rate", 0.5),
        ("BasicLauncher", "n_jobs", "two"),  # a class of which nothing is known
    ],
)
def test_right_values_pass(kind, name, right):
    check_values("hydra.launcher", settings(kind, name, right))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_our_own_files_pass(path):
    check_values("hydra.launcher", OmegaConf.load(path))


def test_every_key_of_the_table_is_one_of_our_files():
    """A key that no file has would never be checked: it is misspelt, or renamed."""
    for path in FILES:
        file = OmegaConf.to_container(OmegaConf.load(path))
        kind = str(file["_target_"]).rpartition(".")[2]
        for key in _ALLOWED.get(kind, {}):
            parent = file
            for part in key.split("."):
                assert part in parent, f"{path.name} has no {key}"
                parent = parent[part]


@pytest.mark.parametrize(
    ("launcher", "value", "cure"),
    [("parallel", "two", "2"), ("parallel", "0", "2"), ("joblib", "two", "2")],
)
def test_a_sweep_is_refused_before_its_points_are_looked_at(home, qat, launcher, value, cure):
    words = [f"hydra/launcher={launcher}", f"hydra.launcher.n_jobs={value}", "seed=0,1"]
    code, out, err = qat("run", "-m", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "hydra.launcher.n_jobs must be a whole number" in err
    assert err.rstrip().endswith(f"write hydra.launcher.n_jobs={cure}")
    assert not list(home.iterdir())
