"""The one door to code is the command line of now: a run's own files name none."""

import json
import sys
from pathlib import Path

import pytest

from tests.command_line import SMALL as USUAL

SMALL = [*USUAL, "+data.options.image_size=8", "data.train_images=64"]
MODULE = "a_method_of_theirs"
RULE = (
    "scheme.rules=[{match: features.1.0, weight: {bits: 5, quantizer: "
    f"{{name: user, target: '{MODULE}:Mine'}}}}}}]"
)
SLOT = ["quantizer@scheme.act=user", f"scheme.act.target={MODULE}:Mine"]


@pytest.fixture
def theirs(home):
    """A module of the user's that can be imported, and is not yet."""
    (home / f"{MODULE}.py").write_text(
        "from qat.quantizers.minmax import MinMaxQuantizer\n"
        "class Mine(MinMaxQuantizer):\n    '''Theirs.'''\n"
    )
    yield MODULE
    sys.modules.pop(MODULE, None)


def folder_of(out):
    return Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent


@pytest.fixture(params=[[RULE], SLOT], ids=["in a rule", "in a slot"])
def run(request, qat, theirs):
    """A finished run with a method of the user's, its module forgotten again."""
    code, out, err = qat("run", *SMALL, *request.param)
    assert code == 0, err
    assert MODULE in sys.modules
    del sys.modules[MODULE]
    return folder_of(out), request.param


def test_from_does_not_import_what_the_record_names(qat, run):
    folder, _ = run
    code, _, err = qat("run", "--from", str(folder))
    assert code == 2
    assert f"target={MODULE}:Mine" in err
    assert "give that override again" in err
    assert err.count("\n") == 1
    assert MODULE not in sys.modules


def test_from_with_the_target_given_again_is_the_same_run(qat, run):
    folder, words = run
    code, out, _ = qat("run", "--from", str(folder), *words)
    assert code == 0
    assert folder_of(out) == folder


def test_evaluating_imports_nothing_and_gives_the_same(qat, run):
    folder, _ = run
    code, out, _ = qat("evaluate", str(folder))
    assert code == 0
    assert out.count("as recorded") == 3
    assert MODULE not in sys.modules


@pytest.mark.parametrize(
    ("planted", "refusal"),
    [
        (["model=user", "model.target=a_method_of_theirs:net"], "name code"),
        (
            ["++model={source: user, name: x, target: 'a_method_of_theirs:net'}"],
            "names no file of group model",
        ),
        (
            ["observer@scheme.act=user", "scheme.act.observer_target=a_method_of_theirs:O"],
            "name code",
        ),
        ([RULE.replace("quantizer:", "observer:")], "name code"),
    ],
)  # fmt: skip
def test_overrides_planted_in_a_record_start_nothing(qat, home, theirs, planted, refusal):
    _, out, _ = qat("run", *SMALL)
    path = folder_of(out) / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"overrides": [*SMALL, *planted]}))
    code, _, err = qat("run", "--from", str(path.parent))
    assert code == 2
    assert refusal in err
    assert MODULE not in sys.modules


def test_from_takes_targets_of_the_users_own_yaml(qat, home, theirs):
    (home / "mine" / "quantizer").mkdir(parents=True)
    text = f"quantizer: user\ntarget: {MODULE}:Mine\noptions: {{}}\n"
    (home / "mine" / "quantizer" / "mine.yaml").write_text(text)
    words = ["--config-dir", "mine", "quantizer@scheme.act=mine"]
    code, out, err = qat("run", *SMALL, *words)
    assert code == 0, err
    code, again, err = qat("run", "--from", str(folder_of(out)), "--config-dir", "mine")
    assert code == 0, err
    assert folder_of(again) == folder_of(out)


def test_from_and_a_sweep_exclude_each_other(qat, home):
    code, _, err = qat("run", "-m", "--from", ".", "seed=0,1")
    assert code == 2
    assert "give one of them" in err
