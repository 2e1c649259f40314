"""What a sweep calls its runs, where their names are accepted, and what the last lines advise."""

import shlex

import pytest

from qat.config.compose import compose_points
from qat.sweep.point_names import config_settings, point_words
from tests.command_line import SMALL

STEPS = "next: "


def commands_in(out):
    """The commands of a ``next:`` line, as words."""
    (line,) = [line for line in out.splitlines() if line.startswith(STEPS)]
    return [shlex.split(command)[1:] for command in line.removeprefix(STEPS).split(" · ")]


@pytest.mark.slow
def test_a_sweep_names_its_runs_by_what_was_swept_and_the_names_are_accepted(qat, home):
    words = [*SMALL, "scheme=w4a8", "quantizer@scheme.act=minmax", "float.epochs=1"]
    code, out, err = qat("run", "-m", *words, "observer@scheme.act=ema,mse")
    assert (code, err) == (0, "")
    for number, name in ((1, "ema"), (2, "mse")):
        assert f"[{number}/2] done  w4a8-lsq-minmax-static-{name}-seed0 " in out
        assert f"| w4a8-lsq-minmax-{name} " in out
        code, shown, _ = qat("show", f"w4a8-lsq-minmax-static-{name}-seed0")
        assert code == 0
        assert f"observer@scheme.act={name}" in shown
    for command in commands_in(out):
        assert qat(*command)[0] == 0, command
    code, table, _ = qat("table", "w4a8-lsq-minmax-static-ema-seed0")
    assert (code, table.count("static")) == (0, 1)
    code, _, err = qat(
        "compare", "w4a8-lsq-minmax-static-seed0", "w4a8-lsq-minmax-static-ema-seed0"
    )
    assert code == 2
    assert "may be 2 runs: " in err
    assert err.count("-seed0)") == 2
    code, again, _ = qat("run", "--from", "w4a8-lsq-minmax-static-mse-seed0")
    assert code == 0
    steps, record = again.splitlines()[-2:]
    assert record.startswith("record: ")
    assert [command[0] for command in commands_in(steps)] == ["show", "table", "run"]
    id_ = commands_in(steps)[0][1]
    assert commands_in(steps) == [["show", id_], ["table"], ["run", "--from", id_, "mode=qat"]]


@pytest.mark.parametrize("command", ["show", "evaluate", "parity", "measure", "export --to onnx"])
def test_no_command_takes_a_run_that_is_not_there(qat, home, command):
    name, *rest = command.split()
    code, out, err = qat(name, "nowhere", *rest)
    assert (code, out) == (2, "")
    assert err == "qat: no run 'nowhere' under " + f"{home / 'runs'}; `qat run` makes runs\n"


def test_points_are_named_by_what_differs_and_by_no_setting_that_numbers_ignore():
    words = ["mode=static", "scheme=w4a8", "observer@scheme.act=ema,mse"]
    points = compose_points(words, multirun=True)
    names = [
        word.around("it", point.config.seed)
        for word, point in zip(point_words(points), points, strict=True)
    ]
    assert names == ["it-ema-seed0", "it-mse-seed0"]
    first, other = (config_settings(point.config) for point in points)
    assert first["model.name"] == "simple_cnn"
    different = {key for key in first.keys() | other.keys() if first.get(key) != other.get(key)}
    assert all("observer" in key for key in different)
    points[0].config.measure.repeats = 7
    assert config_settings(points[0].config) == first


def test_points_that_differ_in_their_steps_have_the_words_of_the_label_alone():
    points = compose_points(
        ["mode=static", "scheme=w4", "ptq=[fold,nearest],[fold,adaround]", "seed=0"], multirun=True
    )
    assert [words.around("it") for words in point_words(points)] == ["it", "it"]


def test_an_allocator_of_the_users_is_in_the_name_before_the_run_as_after_it():
    words = ["mode=mixed", "allocate.weight_bytes=9000", "allocate=user", "seed=0"]
    targets = "allocate.target=mine.choice:worst_first,mine.choice:best_last"
    points = compose_points([*words, targets], multirun=True)
    names = [word.around("it", 0) for word in point_words(points)]
    assert names == ["it-worst_first-seed0", "it-best_last-seed0"]
