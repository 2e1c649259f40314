"""The step benchmark: what it reports, on a network small enough for a test."""

import json

import pytest

from bench import step
from qat.core import kernels

TINY = ["--model", "simple_cnn", "--batch", "2", "--size", "8", "--steps", "3", "--warmup", "1"]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(kernels, "has_compiler", lambda: False)


def test_reports_rates_and_paired_ratios(no_compiler, tmp_path, capsys):
    with pytest.warns(kernels.NoCompilerWarning, match="no C"):
        step.main([*TINY, "--out", str(tmp_path / "step.json")])
    report = json.loads((tmp_path / "step.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert results["ratio_qat_eager"]["n"] == 3
    rate, time = results["float_images_per_second"], results["float_step_ms"]
    assert rate["median"] * time["median"] == pytest.approx(2 * 1e3)
    assert report["machine"]["threads"] >= 1


def test_without_a_compiler_nothing_compiled_is_claimed(no_compiler, capsys):
    with pytest.warns(kernels.NoCompilerWarning, match="install"):
        step.main(TINY)
    assert not any("compiled" in name for name in json.loads(capsys.readouterr().out)["results"])


def test_the_kernel_is_left_as_it_was(no_compiler):
    with pytest.warns(kernels.NoCompilerWarning, match="no C"):
        step.main(TINY)
    assert kernels.current_kernel() == "eager"


def test_networks_take_turns_each_with_its_first_step_apart(no_compiler):
    args = step.parser().parse_args(TINY)
    with pytest.warns(kernels.NoCompilerWarning, match="no C"):
        steps = step.make_steps(args)
    assert list(steps) == ["float", "qat_eager"]
    assert all(seconds > 0 for seconds in step.first_seconds(steps).values())
