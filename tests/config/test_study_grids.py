"""Studies: the union of grids, the command line's keys before theirs, scales."""

from dataclasses import replace

import pytest

from qat.config.schema import StudyConfig
from qat.config.study_grids import override_text, study_points

GRIDS = [
    {"mode": ["float"]},
    {"mode": ["static", "qat"], "scheme.weight.bits": [8, 4], "seed": [0, 1]},
    {"mode": ["static"], "scheme.weight.bits": [4, 2], "seed": [0]},
]
STUDY = StudyConfig(
    name="it", grids=GRIDS, scales={"smoke": ["data=synthetic", "seed=7"], "quick": []}
)


def points(*words, scale="quick"):
    return study_points(STUDY, scale, "experiment=it", words)


def test_points_are_the_union_each_once():
    found = points()
    assert len(found) == 1 + 8 + 1  # static, 4 bits, seed 0 stands in two grids
    assert found[0] == ("experiment=it", "mode=float")
    assert ("experiment=it", "mode=static", "scheme.weight.bits=2", "seed=0") in found


def test_a_key_of_the_command_line_takes_the_place_of_the_axis():
    found = points("seed=5", "++mode=dynamic")
    assert found == [  # and the float network stays float: its grid is left out
        ("experiment=it", "scheme.weight.bits=8", "seed=5", "++mode=dynamic"),
        ("experiment=it", "scheme.weight.bits=4", "seed=5", "++mode=dynamic"),
        ("experiment=it", "scheme.weight.bits=2", "seed=5", "++mode=dynamic"),
    ]


def test_a_value_of_an_axis_keeps_the_points_that_have_it():
    assert points("mode=float") == [("experiment=it", "mode=float")]
    static = points("++mode=static")
    assert len(static) == 4 + 1
    assert {p[:-1] for p in points("mode=static")} == {p[:-1] for p in static}
    assert points("mode=static", "scheme.weight.bits=2") == [
        ("experiment=it", "seed=0", "mode=static", "scheme.weight.bits=2")
    ]


def test_a_grid_without_the_axis_does_not_have_the_value_but_any_seed():
    grids = [
        {"mode": ["float"]},
        {"scheme.weight.symmetric": [True, False], "seed": [0, 1]},
        {"scheme.act.symmetric": [True, False], "seed": [0, 1]},
    ]
    study = replace(STUDY, grids=grids)
    for typed in ("false", "False"):  # the second is what Hydra makes of the first
        word = f"scheme.weight.symmetric={typed}"
        assert study_points(study, "quick", "experiment=it", [word]) == [
            ("experiment=it", "mode=float", word),
            ("experiment=it", "seed=0", word),
            ("experiment=it", "seed=1", word),
        ]
    of_seed = study_points(study, "quick", "experiment=it", ["seed=1"])
    assert of_seed[0] == ("experiment=it", "mode=float", "seed=1")
    assert len(of_seed) == 1 + 2 + 2


def test_values_that_no_grid_has_together_replace_the_axes():
    found = points("mode=qat", "scheme.weight.bits=2")
    assert [point[1:-2] for point in found] == [("seed=0",), ("seed=1",)]
    only_float = replace(STUDY, grids=GRIDS[:1])
    assert study_points(only_float, "quick", "experiment=it", ["mode=qat"]) == [
        ("experiment=it", "mode=qat")
    ]


def test_an_axis_goes_before_the_scale_and_the_command_line_before_both():
    found = points("data=npz", scale="smoke")
    assert found[0] == ("experiment=it", "seed=7", "mode=float", "data=npz")
    assert all(words.count("seed=7") == 0 for words in found[1:])
    assert all("data=synthetic" in words for words in points(scale="smoke"))


def test_a_recipe_holds_for_its_points_and_gives_way_to_axes_and_command_line():
    recipes = [
        {"points": ["mode=qat"], "words": ["data=npz", "seed=9", "schedule=step"]},
        {"points": ["mode=qat", "scheme.weight.bits=4"], "words": ["schedule=cosine"]},
    ]
    study = replace(STUDY, recipes={"smoke": recipes})
    made = study_points(study, "smoke", "experiment=it", ["kernel=eager", "trainer=long"])
    assert made[0] == ("experiment=it", "data=synthetic", "seed=7", "mode=float", *made[0][4:])
    of_qat = [point for point in made if "mode=qat" in point]
    assert len(of_qat) == 4
    for point in of_qat:
        assert "data=npz" in point
        assert "data=synthetic" not in point
        assert ("schedule=cosine" in point) == ("scheme.weight.bits=4" in point)
        assert ("schedule=step" in point) == ("scheme.weight.bits=8" in point)
        assert sum(word.startswith("seed=") for word in point) == 1
        assert "seed=9" not in point
    assert all("schedule=step" not in point for point in made if point not in of_qat)
    typed = study_points(study, "smoke", "experiment=it", ["data=x", "schedule=none"])
    assert all(point[1] == "mode=qat" for point in typed if "mode=qat" in point)
    assert study_points(study, "quick", "experiment=it", []) == points()


def test_a_grid_may_belong_to_some_scales_alone():
    study = replace(STUDY, grids=[*GRIDS, {"scales": ["smoke"], "mode": ["dynamic"]}])
    assert study_points(study, "quick", "experiment=it", []) == points()
    smoke = study_points(study, "smoke", "experiment=it", [])
    assert smoke[:-1] == points(scale="smoke")
    assert smoke[-1] == ("experiment=it", "data=synthetic", "seed=7", "mode=dynamic")


def test_a_recipe_with_other_keys_is_refused():
    study = replace(STUDY, recipes={"quick": [{"for": ["mode=qat"], "words": []}]})
    with pytest.raises(ValueError, match=r"keys points and words, got for, words"):
        study_points(study, "quick", "experiment=it", [])


def test_an_unknown_scale_names_those_there_are():
    with pytest.raises(ValueError, match=r"scale.*smoke, quick.*papr"):
        points(scale="papr")


def test_an_empty_axis_is_refused():
    with pytest.raises(ValueError, match="axis seed has no values"):
        study_points(StudyConfig(name="it", grids=[{"seed": []}]), "quick", "experiment=it", [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.001, "0.001"),
        ("w8a8", "w8a8"),
        ("a b", "'a b'"),
        ("it's", r"'it\'s'"),
        ([{"match": "layer1.*", "weight": {"bits": 8}}], "[{match:'layer1.*',weight:{bits:8}}]"),
    ],
)
def test_values_as_hydra_reads_them_back(value, text):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert override_text(value) == text
    parsed = OverridesParser.create().parse_override(f"key={text}")
    assert parsed.value() == value
