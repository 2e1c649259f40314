"""Examples in docstrings share one folder of runs, so that a run in several is computed once."""

from pathlib import Path

import pytest

EXAMPLES_OF_RUNS = [
    Path(__file__).parent / "qat" / room for room in ("notebook", "run", "sweep", "layers")
]
IGNORED = "ignore::qat.notebook.errors.RunWarning"


def pytest_collection_modifyitems(items):
    """The runs of examples are so short that they warn of their accuracy."""
    for item in items:
        if has_runs(item):
            item.add_marker(pytest.mark.filterwarnings(IGNORED))


@pytest.fixture(scope="session")
def home_of_examples(tmp_path_factory):
    """A folder for runs and the cache."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(autouse=True)
def runs_of_examples(request):
    """Carry out the examples of some rooms in that folder."""
    if not has_runs(request.node):
        return
    home, patch = (
        request.getfixturevalue("home_of_examples"),
        request.getfixturevalue("monkeypatch"),
    )
    patch.chdir(home)
    for name in ("runs", "cache", "data"):
        patch.setenv(f"QAT_{name.upper()}", str(home / name))


def has_runs(item):
    """Whether it is an example that may compute a run."""
    is_example = isinstance(item, pytest.DoctestItem)
    return is_example and any(item.path.is_relative_to(folder) for folder in EXAMPLES_OF_RUNS)
