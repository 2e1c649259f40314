"""A run's name: the same as ever for the same request, and known without loading data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qat.config.compose import compose_points
from qat.core.held_plan import HeldPlan
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec
from qat.run.prepare import prepare
from qat.run.request.identity import DataFacts, identity, known_identity
from tests.command_line import SMALL, USUAL


def point(*words):
    return compose_points([*SMALL, *words], False)[0]


def test_names_of_runs_do_not_move(home):
    """Runs made by earlier versions are found again: a change here needs a Numbers entry."""
    names = [
        prepare(compose_points([*USUAL, memory_format, *words], False)[0].config, ()).id
        for memory_format in ("trainer.memory_format=contiguous", "trainer.memory_format=auto")
        for words in ([], ["mode=qat", "scheme=w4a4"], ["mode=float"], ["mode=dynamic"])
    ]
    assert names[:4] == NAMES
    assert names[4:] == NAMES_IN_FORMAT_AUTO


def test_a_request_made_before_is_known_without_its_data(home):
    asked = point("seed=3")
    assert known_identity(asked.config) is None
    assert known_identity(asked.config) is None
    prepared = prepare(asked.config, ())
    assert known_identity(asked.config) == prepared.id
    other = point("seed=4", "scheme.weight.bits=3")
    assert known_identity(other.config) == prepare(other.config, ()).id


def test_data_that_changed_are_not_known(home, npz):
    words = ["data=npz", f"data.path={npz()}", "float=smoke"]
    asked = compose_points(words, False)[0]
    first = prepare(asked.config, ()).id
    assert known_identity(asked.config) == first
    import numpy as np

    path = npz(test_images=np.zeros((40, 8, 8, 3), np.uint8))
    os.utime(path, ns=(1, 1))
    assert known_identity(asked.config) is None
    from qat.run.request.data import _load_shared

    _load_shared.cache_clear()
    assert prepare(asked.config, ()).id != first


@pytest.mark.parametrize("change", ["trainer.devices=2", "trainer.max_epochs=7"])
def test_how_it_is_trained_is_part_of_the_name(home, change):
    words = ["mode=qat", "scheme=w4a4"]
    assert prepare(point(*words).config, ()).id != prepare(point(*words, change).config, ()).id


def names_of(*requests):
    return [prepare(point(*words).config, ()).id for words in requests]


def test_a_width_that_follows_from_the_format_gives_one_name(home):
    words = ("mode=static", "scheme.weight.format=fp4_e2m1")
    widths = names_of(*([*words, f"scheme.weight.bits={bits}"] for bits in (4, 8, 32)))
    assert widths[0] == widths[1] == names_of(words)[0]
    assert widths[0] != widths[2]  # off
    assert widths[0] != names_of(("mode=static", "scheme.weight.bits=4"))[0]


def test_the_width_of_a_format_in_a_rule_gives_one_name(home):
    def rule(changes):
        return ["mode=static", f"scheme.rules=[{{match:'kind:conv',act:{{{changes}}}}}]"]

    names = names_of(
        *(rule(f"format:mxfp6_e2m3{bits}") for bits in ("", ",bits:6", ",bits:8", ",bits:32"))
    )
    assert len(set(names[:3])) == 1
    assert names[3] != names[0]


def test_the_content_of_a_plan_names_a_run_and_the_formats_of_the_scheme_do_not(home):
    layer = LayerPlan("features.0.0", "Conv2d", TensorSpec(signed=True), TensorSpec(bits=32))
    for name, source in (("a", "1"), ("b", "1"), ("c", "2")):
        HeldPlan(Plan({layer.name: layer}), source=source).save(home / f"{name}.json")
    a, b, c, wider, learned = names_of(
        ["mode=static", "scheme.plan=a.json"],
        ["mode=static", "scheme.plan=b.json"],
        ["mode=static", "scheme.plan=c.json"],
        ["mode=static", "scheme.plan=a.json", "scheme.weight.bits=3"],
        ["mode=static", "scheme.plan=a.json", "quantizer@scheme.weight=lsq"],
    )
    assert a == b == wider
    assert len({a, c, learned}) == 3


@pytest.mark.slow
def test_a_finished_sweep_is_told_without_torch(home, qat):
    words = ["run", "-m", *SMALL, "scheme=w8a8,w4a4"]
    assert qat(*words)[0] == 0
    code = (
        "import sys; from qat.cli.main import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; assert 'lightning' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 runs, 2 done before, 0 to run\n")


@pytest.mark.slow
def test_a_record_that_names_its_study(home, qat):
    (home / "mine" / "experiment").mkdir(parents=True)
    (home / "mine" / "experiment" / "bits.yaml").write_text(STUDY)
    words = ["run", "-m", "--config-dir", "mine", "experiment=bits", *SMALL]
    code, out, err = qat(*words)
    assert code == 0, err
    assert "\n2 done\nnext: qat table bits --config-dir mine · " in out
    code, out, _ = qat("table", "bits", "--config-dir", "mine", "--format", "csv")
    assert code == 0
    assert out.splitlines()[0].startswith("weight_bits,top1_mean")
    assert len(out.strip().splitlines()) == 3
    assert len(list(Path("runs/.studies/bits/quick").iterdir())) == 2
    code, _, err = qat("table", "bist", "--config-dir", "mine")
    assert code == 2
    assert "did you mean 'bits'?" in err
    code, _, err = qat("run", "--config-dir", "mine", "experiment=bits", *SMALL)
    assert code == 2
    assert "is a study of many runs: qat run -m experiment=bits --config-dir mine" in err
    code, _, err = qat("table", "bits", "--config-dir", "mine", "--scale", "paper")
    assert code == 2
    assert "no runs at scale=paper" in err


STUDY = """\
# @package _global_
# Two widths.
study:
  name: bits
  grids: [{scheme.weight.bits: [8, 4]}]
  table: {columns: [weight_bits, top1]}
"""
NAMES = ["5057f25db756", "e6dc6539803a", "9d595e210ae2", "b8b980f1d77f"]

NAMES_IN_FORMAT_AUTO = ["40213c2cd806", "b1e93fa892ff", "2db1a0bc16cc", "32034cc6bae7"]


def test_facts_noted_before_they_had_a_resize_leave_the_settings_as_they_are(home):
    config = point("data.resize=9", "data.crop=8").config
    of_old = DataFacts("digest", (0.5,), (0.25,))
    of_new = DataFacts("digest", (0.5,), (0.25,), None, 9, 8)
    assert identity(config, of_old, None) == identity(config, of_new, None)
    assert identity(config, of_old, None) != identity(point().config, of_old, None)
