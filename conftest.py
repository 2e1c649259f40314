"""Examples in docstrings share one folder of runs, so that a run in several is computed once."""

from pathlib import Path

import pytest

EXAMPLES_OF_RUNS = [Path(__file__).parent / "qat" / room for room in ("notebook", "run")]


@pytest.fixture(scope="session")
def home_of_examples(tmp_path_factory):
    """A folder for runs and the cache."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(autouse=True)
def runs_of_examples(request):
    """Carry out the examples of some rooms in that folder."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    if not any(request.node.path.is_relative_to(folder) for folder in EXAMPLES_OF_RUNS):
        return
    home, patch = (
        request.getfixturevalue("home_of_examples"),
        request.getfixturevalue("monkeypatch"),
    )
    patch.chdir(home)
    for name in ("runs", "cache", "data"):
        patch.setenv(f"QAT_{name.upper()}", str(home / name))
