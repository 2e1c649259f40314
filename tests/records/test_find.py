"""A run is meant by its path, its id, the beginning of that, or its name; by two is refused."""

import pytest

from qat.base.errors import InputError, UnknownNameError
from qat.records.find import find_run
from qat.records.folder import RunFolder
from tests.records.test_names import observed, record


@pytest.fixture
def runs(tmp_path):
    """Three runs: two of one sweep, and a float one."""
    found = [
        observed("aaa111", "mse"),
        observed("aab222", "percentile", percentile=99.9),
        record("ccc333", mode="float"),
    ]
    for one in found:
        RunFolder(tmp_path / "runs" / one.id).create().write(one)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("word", "id_"),
    [
        ("aaa111", "aaa111"),
        ("aab", "aab222"),
        ("c", "ccc333"),
        ("w4a8-minmax-static-mse-seed0", "aaa111"),
        ("w4a8-minmax-static-percentile99.9-seed0", "aab222"),
        ("w4a8-minmax-percentile99.9", "aab222"),
        ("float-seed0", "ccc333"),
        ("float", "ccc333"),
        ("{runs}/aaa111", "aaa111"),
        ("{runs}/aaa111/run.json", "aaa111"),
        ("{runs}/aab", "aab222"),
    ],
)
def test_a_run_is_found(runs, word, id_):
    assert find_run(word.format(runs=runs), runs) == runs / id_


def test_an_ambiguous_word_lists_the_candidates_by_id_and_name(runs):
    for word in ("aa", "w4a8-minmax-static-seed0"):
        with pytest.raises(
            InputError, match=r"aaa111 \(w4a8.*mse-seed0\), aab222 \(w4a8.*percentile-s"
        ):
            find_run(word, runs)


def test_an_unknown_word_names_the_nearest(runs):
    with pytest.raises(UnknownNameError, match=r"no run 'zzz' under .*; there are "):
        find_run("zzz", runs)
    with pytest.raises(UnknownNameError, match="w4a8-minmax-static-mse-seed0"):
        find_run("w4a8-minmax-static-msee-seed0", runs)
    with pytest.raises(UnknownNameError, match="`qat run` makes runs"):
        find_run("zzz", runs / "none")


def test_a_folder_without_a_record_is_left_to_the_command(runs, tmp_path):
    assert find_run(str(tmp_path), runs) == tmp_path
