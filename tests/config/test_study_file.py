"""Studies by the name of their file and by their own, read without Hydra."""

import pytest

from qat.base.errors import RequestError
from qat.config.study_file import read_study, study_names


@pytest.fixture
def study(tmp_path):
    """Write an experiment file of the user's; returns the user's folder."""

    def write(text, name="mine"):
        path = tmp_path / "experiment" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    return write


TEXT = """
study:
  name: inner
  question: Which one?
  grids: [{seed: [0]}]
  scales: {smoke: [], paper: []}
  table: {rows: [mode]}
"""


def test_a_study_is_what_its_file_says(study):
    folder = study(TEXT, "deep/er")
    assert "deep/er" in study_names(folder)
    file = read_study("inner", folder)
    assert file == read_study("deep/er", folder)
    assert (file.name, file.file, file.question) == ("inner", "deep/er", "Which one?")
    assert (file.scales, file.table) == (("smoke", "paper"), {"rows": ["mode"]})


def test_an_experiment_without_a_study_is_none(study):
    folder = study("seed: 3\n", "plain")
    assert "plain" not in study_names(folder)
    with pytest.raises(RequestError, match=r"no study 'plain'.*studies are"):
        read_study("plain", folder)


def test_a_near_name_is_offered_and_a_damaged_file_is_named(study):
    with pytest.raises(RequestError, match=r"no study 'inner2'.*; did you mean 'inner_2'\?"):
        read_study("inner2", study("study: {name: x}\n", "inner_2"))
    with pytest.raises(RequestError, match=r"broken.yaml cannot be read"):
        study_names(study("study: [\n", "broken"))
