"""What a person sees of several runs in a terminal of 80 columns; one sweep serves all tests."""

import re
import time

import pytest

from qat.base.progress import bar
from qat.config.compose import compose_points
from qat.records.store import read_record
from qat.run.calibration import Calibration
from qat.run.request.identity import known_identity
from tests.command_line import TINY
from tests.terminal import in_terminal, press_ctrl_c

CHOICE, OPTION = "observer@scheme.act=", "scheme.act.observer_options.percentile=99.9"
SWEEP = ["run", "-m", *TINY, f"{CHOICE}minmax,percentile", OPTION]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder that the tests of this file share: work goes there."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("runs", "cache", "data"):
            patch.setenv(f"QAT_{name.upper()}", str(folder / name))
        yield folder


@pytest.fixture(scope="module")
def swept(place):
    return in_terminal(*SWEEP)


@pytest.fixture
def records(place, swept):
    """Of both runs, by their observer."""
    found = [read_record(path.parent) for path in place.glob("runs/*/run.json")]
    return {str(r.overrides).partition(CHOICE)[2].partition("'")[0]: r for r in found}


def test_a_sweep_says_how_many_each_name_the_table_and_what_is_next(swept, records):
    assert swept.code == 0, swept.text
    assert swept.too_wide == []
    assert any(line.startswith("2 runs; ") for line in swept.screen)
    for number, name in ((1, "minmax"), (2, "percentile")):
        words = f"[{number}/2] done  w8a8-minmax-static-{name}-seed0 {records[name].id}, top-1 "
        assert words in swept.text
        assert f"│ w8a8-minmax-{name} " in swept.text
    assert "left out: " in swept.text
    assert "2 done" in swept.screen
    assert f"qat compare {records['minmax'].id} {records['percentile'].id}" in swept.text


def test_each_point_is_run_with_what_it_reads(records):
    asked = {name: record.overrides for name, record in records.items()}
    assert sorted(asked) == ["minmax", "percentile"]
    assert f"++{OPTION}" in asked["percentile"]
    assert OPTION not in " ".join(asked["minmax"])
    alone = compose_points([*TINY, f"{CHOICE}minmax"], multirun=False)[0]
    assert known_identity(alone.config) == records["minmax"].id


def test_compare_names_the_runs_above_and_fits(swept, records):
    seen = in_terminal("compare", records["minmax"].id, records["percentile"].id)
    assert seen.code == 0
    assert seen.too_wide == []
    for letter, name in (("A", "minmax"), ("B", "percentile")):
        assert f"{letter}: w8a8-minmax-static-{name}-seed0 {records[name].id}" in seen.screen
    rows = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in seen.screen]
    assert ["act observer", "minmax", "percentile"] in rows
    assert any(row[0] == "features.0.0" and row[1].startswith("8/8, ") for row in rows)


def test_table_and_show_fit_and_are_plain_without_colours(swept, records):
    for words in (["table"], ["show", records["minmax"].id]):
        seen = in_terminal(*words, environment={"NO_COLOR": "1"})
        assert seen.code == 0
        path = str(records["minmax"].id)  # the record's path is copied as a whole
        assert [line for line in seen.too_wide if path not in line] == []
        assert not COLOUR.search(seen.sent)
    assert "packed.safetensors" in seen.text
    table = in_terminal("table", environment={"NO_COLOR": "1"}).text
    assert table in swept.text


def test_list_breaks_between_words_and_cuts_nothing(place):
    seen = in_terminal("list")
    assert seen.code == 0
    assert [line for line in seen.too_wide if str(place) not in line] == []  # paths stay whole
    text = " ".join(seen.text.split())
    assert "part of Fashion-MNIST that comes with the package: 5,000 train, 2,000 test." in text


@pytest.mark.slow
def test_a_run_that_is_running_names_its_stage_and_a_sweep_is_interrupted(place, monkeypatch):
    shown = []

    def wait(*_, **__):
        with bar("waiting"):
            print("in calibration", flush=True)
            time.sleep(60)

    def look(process, terminal):
        (path,) = place.glob("others/*/run.json")
        shown.append(in_terminal("show", str(path.parent)))
        press_ctrl_c(process, terminal)

    monkeypatch.setattr(Calibration, "run", wait)
    words = ["paths.runs=others", f"{CHOICE}ema,mse"]
    seen = in_terminal(
        "run", "-m", *TINY, *words, when=lambda sent: "in calibration" in sent, then=look
    )
    assert seen.code == 1, seen.text
    assert seen.too_wide == []
    assert "qat: interrupted; repeat the same command to continue" in seen.screen
    assert seen.sent.count("\x1b[?25l") == seen.sent.count("\x1b[?25h")  # the cursor is back
    state = " ".join(shown[0].text.split())
    assert re.search(r", running stage calibration since [0-9:]{8} \(\d+ s\) in process \d+", state)
    assert [line for line in shown[0].too_wide if "run.json" not in line] == []
