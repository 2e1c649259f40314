"""Hydra's own flags behind ``qat run``: they show and run nothing, and mistakes take one line."""

import pytest
from omegaconf import OmegaConf

from qat.sweep.hydra_main import checked_for_hydra
from tests.command_line import SMALL


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--cfg", "jobb"], "invalid choice: 'jobb'"),
        (["--cfg"], "expected one argument"),
        (["--info", "nonsense"], "invalid choice: 'nonsense'"),
        (["-sc", "bash"], "-sc needs one of install="),
        (["--cfg", "job", "seed=x"], "seed must be an integer"),
        (["--cfg", "job", "foo=1"], "no key 'foo'; keys are model, data"),
        (["--info", "defaults", "scheme=w4b4"], "did you mean 'w4a4'?"),
        (["--cfg", "job", "--config-dir", "nowhere"], "--config-dir nowhere is not a folder"),
        (["--config-name=other"], "no flag '--config-name=other'"),
        (["seed=1,2"], "several values are a sweep, qat run -m"),
        (["optimizer=3"], "optimizer=3 names no file of group optimizer: write optimizer=NAME"),
        (["-m", "hydra.sweeper.foo=1", "seed=1,2"], "no key 'hydra.sweeper.foo'"),
        (["-m", "hydra/launcher=nowhere", "seed=1,2"], "no 'nowhere' in hydra/launcher"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_takes_one_line_and_code_2(qat, home, words, part):
    code, out, err = qat("run", *SMALL, *words)
    assert (code, out) == (2, "")
    assert err.startswith("qat: ")
    assert part in err
    assert err.count("\n") == 1
    assert not (home / "runs").exists()


def test_cfg_job_is_the_composed_configuration(qat, home):
    code, out, err = qat("run", "scheme=w4a4", "mode=qat", "seed=3", "--cfg", "job")
    assert (code, err) == (0, "")
    config = OmegaConf.create(out)
    assert (config.mode, config.seed, config.scheme.weight.bits) == ("qat", 3, 4)


def test_cfg_job_shows_what_is_still_to_be_given(qat, home):
    code, out, _ = qat("run", "model=torchvision", "--cfg", "job")
    assert code == 0
    assert "name: ???" in out


def test_cfg_job_reads_the_users_own_folder(qat, home):
    (home / "mine" / "optimizer").mkdir(parents=True)
    (home / "mine" / "optimizer" / "fast.yaml").write_text("name: sgd\nlr: 0.5\n")
    code, out, _ = qat("run", "--cfg", "job", "--config-dir", "mine", "optimizer=fast")
    assert code == 0
    assert OmegaConf.create(out).optimizer.lr == 0.5


@pytest.mark.parametrize("words", [["--info", "defaults-tree"], ["-sc", "install=bash"]])
def test_other_flags_work_too(qat, home, words):
    code, out, _ = qat("run", *words)
    assert code == 0
    assert out
    assert not (home / "runs").exists()


def test_plus_adds_and_two_pluses_override_or_add(qat, home):
    code, out, _ = qat("run", "+data.options.image_size=16", "++seed=4", "--cfg", "job")
    assert code == 0
    assert OmegaConf.create(out).data.options.image_size == 16
    assert OmegaConf.create(out).seed == 4


def test_overrides_come_before_flags_and_a_flag_keeps_its_value():
    words = ["--cfg", "job", "seed=3", "-m", "mode=qat"]
    assert checked_for_hydra(words) == ["seed=3", "mode=qat", "--cfg", "job", "-m"]
