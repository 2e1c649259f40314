"""One epoch of each training method on the embedded images, compared with its calibrated start."""

import io
import json
import math
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import yaml

from qat.cli.main import main
from qat.config.yaml_files import config_dir

NOISE = 0.015
"""Two standard errors of a difference between two accuracies of 88 % on 2,000 images each."""


def words_of(grid):
    """The words that set the method of a grid of the study."""
    return tuple(f"{key}={grid[key][0]}" for key in grid if key.startswith("quantizer@"))


def methods():
    """The methods of the study, and its widths that are asked for here."""
    study = yaml.safe_load((config_dir() / "experiment" / "methods.yaml").read_text("utf-8"))
    for grid in study["study"]["grids"]:
        words = words_of(grid)
        for scheme in {"w2a2", "w4a4"}.intersection(grid.get("scheme", ())):
            yield (f"scheme={scheme}", *words)
    yield from [("scheme=w1a1",), ("scheme=mxfp4",), ("scheme=fp8",)]


CASES = sorted(methods())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One home, so that all methods start from one float network."""
    return tmp_path_factory.mktemp("methods")


@pytest.mark.slow
@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_one_epoch_improves_on_the_calibrated_start(folder, monkeypatch, home, words):
    for name in ("runs", "cache"):
        monkeypatch.setenv(f"QAT_{name.upper()}", str(folder / name))
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = main(["run", "mode=qat", *words, "trainer.max_epochs=1", "tracking=none"])
    assert code == 0
    record = Path(printed.getvalue().strip().splitlines()[-1].removeprefix("record: "))
    metrics = json.loads(record.read_text())["metrics"]
    assert math.isfinite(metrics["loss"])
    has_lost = metrics["calibrated_top1"] < metrics["float_top1"] - NOISE
    if has_lost or {"scheme=w2a2", "scheme=w1a1"}.intersection(words):
        assert metrics["top1"] > metrics["calibrated_top1"]
    else:  # calibration alone kept the accuracy: training must keep it too
        assert metrics["top1"] > metrics["float_top1"] - 2 * NOISE
