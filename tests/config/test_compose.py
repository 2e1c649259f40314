"""Points of a request, and errors of one line."""

import pytest

from qat.base.errors import RequestError
from qat.config.compose import (
    Point,
    check_composes,
    compose_points,
    composer,
    fixed_words,
    is_accepted,
    split_sweep,
)
from qat.config.schema import RunConfig


def test_the_points_of_a_grid_are_its_products_each_once():
    points = compose_points(["seed=1,2", "scheme.act.bits=3,4", "hydra.job.name=x"], multirun=True)
    assert [(p.config.seed, p.config.scheme.act.bits) for p in points] == [
        (1, 3), (1, 4), (2, 3), (2, 4),
    ]  # fmt: skip
    assert points[0].label == "seed=1 scheme.act.bits=3"
    assert Point((), RunConfig()).label == "(defaults)"


def test_a_wrong_point_of_several_is_named():
    with pytest.raises(RequestError, match=r"^point seed=0 optimizer=adm: no 'adm' in optimizer"):
        compose_points(["seed=0", "optimizer=sgd,adm"], multirun=True)


def test_a_study_of_several_runs_is_a_sweep():
    with pytest.raises(RequestError, match="is a study of many runs: qat run -m experiment=bit"):
        compose_points(["experiment=bitwidth"], multirun=False)


def test_words_of_a_sweep():
    with composer(None):
        assert fixed_words(["seed=1,2", "mode=qat", "force=true"]) == ["mode=qat", "force=true"]
        assert split_sweep(["mode=qat", "seed=1,2"]) == [
            ("mode=qat", "seed=1"),
            ("mode=qat", "seed=2"),
        ]


def test_what_is_accepted_composes_and_passes_the_checks():
    assert is_accepted(["scheme.act.bits=3"])
    assert not is_accepted(["scheme.weight.group_size=8"])  # granularity=group is missing
    assert not is_accepted(["scheme.act.bitz=3"])
    check_composes(["data=npz"])  # data.path may be given later
    with pytest.raises(RequestError, match=r"no key 'scheme.act.bitz'.*did you mean 'bits'"):
        check_composes(["scheme.act.bitz=3"])


def test_the_folder_of_the_user_must_exist(tmp_path):
    with pytest.raises(RequestError, match="nowhere is not a folder"):
        compose_points([], multirun=False, extra_dir=tmp_path / "nowhere")
