"""A study's view: links with readable names, and a page of its own."""

import json
import subprocess
import sys
from functools import partial

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from qat.base.atomic import WriteError
from qat.base.text import markdown_text
from qat.tracking import tensorboard as board
from qat.tracking.figures.style import new_figure
from qat.tracking.study import build_study_view, view_names

TABLE = "| run | top-1 |\n|---|---|\n| w4a4-lsq | 87.0 |"


def one_figure():
    return {"accuracy_size": new_figure()[0]}


def no_figure():
    raise AssertionError("nothing has changed: no figure is to be made")


@pytest.fixture
def runs(tmp_path, make):
    """A runs folder with three runs, by name."""
    records = [make("aaa"), make("bbb", seed=1), make("ccc", bits=8, mode="static")]
    for record in records:
        with board.open_events(tmp_path / "runs" / record.id / "tb") as writer:
            board.write_hparams(writer, record)
            board.write_final_scalars(writer, record)
    return {name: tmp_path / "runs" / id_ for name, id_ in view_names(records).items()}


def links(folder):
    """Name of a run → where the folder of its events lies."""
    return {
        path.parent.name: str(path.readlink().parent)
        for path in folder.glob("*/*tfevents*")
        if path.is_symlink()
    }


def page(folder):
    events = EventAccumulator(str(folder / "_study"), size_guidance={"tensors": 0})
    events.Reload()
    texts = {
        tag: [e.tensor_proto.string_val[0].decode() for e in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }
    return texts, events.Tags()["images"]


def test_names_say_the_setting_and_an_id_only_where_two_are_equal(make):
    alike = [make("aaa"), make("bbb"), make("ccc", seed=1), make("ddd", mode="float")]
    assert view_names(alike) == {
        "w4a4-lsq-qat-seed0-aaa": "aaa",
        "w4a4-lsq-qat-seed0-bbb": "bbb",
        "w4a4-lsq-qat-seed1": "ccc",
        "float-seed0": "ddd",
    }


def test_a_view_has_a_relative_link_a_run_and_a_page(tmp_path, runs):
    folder = build_study_view(tmp_path / "runs", "bitwidth-quick", runs, TABLE, one_figure)
    assert folder == tmp_path / "runs.tensorboard" / "bitwidth-quick"
    assert links(folder) == {
        "w4a4-lsq-qat-seed0": "../../../runs/aaa/tb",
        "w4a4-lsq-qat-seed1": "../../../runs/bbb/tb",
        "w8a8-lsq-static-seed0": "../../../runs/ccc/tb",
    }
    assert all(any((folder / name).glob("events*")) for name in links(folder))
    texts, images = page(folder)
    assert texts["0 all runs/1 table/text_summary"] == [TABLE]
    assert (
        f"| w4a4-lsq-qat-seed1 | {markdown_text(str(runs['w4a4-lsq-qat-seed1']))} |"
        in (texts["0 all runs/2 folders/text_summary"][0])
    )
    assert images == ["0 all runs/1 accuracy_size"]


def test_what_compares_runs_sorts_first_and_the_pareto_figure_before_the_others(tmp_path, runs):
    figures = {name: new_figure()[0] for name in ("accuracy_size", "accuracy_bops", "aaa")}
    folder = build_study_view(tmp_path / "runs", "it", runs, TABLE, lambda: figures)
    texts, images = page(folder)
    own = ["codes/conv1", "comparison/text_summary", "figures/aaa", "_hparams_/experiment"]
    assert sorted([*own, *images])[:2] == [
        "0 all runs/1 accuracy_size",
        "0 all runs/2 accuracy_bops",
    ]
    assert min([*own, *texts]) == "0 all runs/1 table/text_summary"


def test_the_columns_are_those_that_some_run_fills(tmp_path, make):
    records = [
        make("aaa", mode="static", metrics={"top1": 0.5, "latency_ms_b64": 3.0}),
        make("bbb", mode="float", metrics={"top1": 0.5}),
    ]
    folders = {}
    for record in records:
        folders[record.id] = tmp_path / "runs" / record.id
        with board.open_events(folders[record.id] / "tb") as writer:
            board.write_hparams(writer, record)
    folder = build_study_view(tmp_path / "runs", "it", folders, TABLE, one_figure, records=records)
    described = {path.parent.name for path in folder.glob("*/*.columns")}
    assert described == {"_study"}  # TensorBoard takes any: there must be one
    events = EventAccumulator(str(folder / "_study"))
    events.Reload()
    [content] = events.PluginTagToContent("hparams").values()
    columns = metadata.parse_experiment_plugin_data(content)
    assert [metric.name.tag for metric in columns.metric_infos] == [
        "final/top1",
        "final/latency_ms_b64",
    ]
    [mode] = [info for info in columns.hparam_infos if info.name == "3 mode"]
    assert list(mode.domain_discrete) == ["float", "static"]
    assert [info.name for info in columns.hparam_infos][:3] == ["1 W bits", "2 A bits", "3 mode"]


def test_once_more_changes_nothing(tmp_path, runs):
    make_view = partial(build_study_view, tmp_path / "runs", "it", runs, TABLE)
    folder = make_view(one_figure)
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    make_view(no_figure)
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("change", ["table", "content"])
def test_what_has_changed_is_written_in_the_place_of_the_old(tmp_path, runs, change):
    make_view = partial(build_study_view, tmp_path / "runs", "it", runs)
    folder = make_view(TABLE, one_figure)
    table, content = (TABLE + "!", "") if change == "table" else (TABLE, "other metrics")
    make_view(table, lambda: {"other": new_figure()[0]}, content)
    texts, images = page(folder)
    assert texts["0 all runs/1 table/text_summary"] == [table]
    assert images == ["0 all runs/1 other"]


def test_links_follow_the_runs(tmp_path, runs):
    folder = build_study_view(tmp_path / "runs", "it", runs, TABLE, one_figure)
    first, second, third = runs
    (folder / "notes.txt").write_text("mine")
    build_study_view(
        tmp_path / "runs", "it", {first: runs[third], second: runs[second]}, TABLE, one_figure
    )
    assert links(folder) == {first: "../../../runs/ccc/tb", second: "../../../runs/bbb/tb"}
    assert (folder / "notes.txt").exists()  # only links of ours are removed


def test_a_page_that_a_kill_left_undone_is_made_anew(tmp_path, runs):
    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_study_view(tmp_path / "runs", "it", runs, TABLE, killed)
    folder = build_study_view(tmp_path / "runs", "it", runs, TABLE, one_figure)
    assert page(folder)[1] == ["0 all runs/1 accuracy_size"]


BUILD_OFTEN = """
import json, sys
from pathlib import Path
from qat.tracking.figures.style import new_figure
from qat.tracking.study import build_study_view

root, table = Path(sys.argv[1]), sys.argv[2]
runs = {name: Path(folder) for name, folder in json.loads(sys.argv[3]).items()}
for shown in [runs, dict(list(runs.items())[:2])] * 5 + [runs]:
    build_study_view(root, "it", shown, table, lambda: {"accuracy_size": new_figure()[0]})
"""


@pytest.mark.slow
def test_two_processes_do_not_disturb_each_other(tmp_path, runs):
    folders = json.dumps({name: str(path) for name, path in runs.items()})
    command = [sys.executable, "-c", BUILD_OFTEN, str(tmp_path / "runs"), TABLE, folders]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    folder = tmp_path / "runs.tensorboard" / "it"
    assert set(links(folder)) == set(runs)
    assert page(folder)[0]["0 all runs/1 table/text_summary"] == [TABLE]


def test_a_folder_that_cannot_be_made_is_told(tmp_path, runs):
    (tmp_path / "runs.tensorboard").write_text("a file in the way")
    with pytest.raises(WriteError, match=r"could not write .*runs.tensorboard.it"):
        build_study_view(tmp_path / "runs", "it", runs, TABLE, one_figure)


@pytest.mark.slow
@pytest.mark.parametrize("fast", [False, True], ids=["python", "data server"])
def test_tensorboard_follows_the_links(tmp_path, runs, serve, fast):
    folder = build_study_view(tmp_path / "runs", "it", runs, TABLE, one_figure)
    server = serve(folder, fast)
    assert {row.split()[0] for row in server.rows(3)} == set(runs)
    assert set(server.ask("data/runs")) == {*runs, "_study"}
    texts = server.ask("data/plugin/text/tags")
    assert set(texts["_study"]) == {
        "0 all runs/1 table/text_summary",
        "0 all runs/2 folders/text_summary",
    }
    assert set(server.ask("data/plugin/images/tags")["_study"]) == {"0 all runs/1 accuracy_size"}
