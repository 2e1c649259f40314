"""The import direction of the rooms and the borders of third parties, read from the source."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

QAT = Path(__file__).parents[1] / "qat"
FILES = sorted(QAT.glob("**/*.py"))
ROOM_FILES = [path for path in FILES if path.parent != QAT]

# What each room may import of ours. CONTRIBUTING.md has the same table for people.
MAY_IMPORT: dict[str, set[str]] = {
    "base": set(),
    "core": set(),
    "data": set(),
    "models": set(),
    "records": set(),
    "graph": {"core"},
    "tables": {"records"},
    "observers": {"core"},
    "quantizers": {"core", "observers"},
    "layers": {"core", "quantizers"},
    "convert": {"core", "graph", "observers", "quantizers", "layers"},
    "cost": {"core", "graph", "quantizers", "layers"},
    "analysis": {"core", "quantizers", "layers", "convert", "cost"},
    "memory": {"core", "graph", "quantizers", "layers"},
    "ptq": {"core", "graph", "observers", "quantizers", "layers", "convert"},
    "export": {"core", "graph", "quantizers", "layers", "convert"},
    "sensitivity": {"core", "graph", "quantizers", "layers", "convert", "cost"},
    "allocate": {"core", "graph", "convert", "cost", "sensitivity"},
    "training": {"core", "quantizers", "layers", "convert", "analysis"},
    "tracking": {"core", "cost", "analysis", "records"},
}
LOWEST = {"base"}  # every room may import it
BELOW = set(MAY_IMPORT)
# The lists of names that settings are held against; a test says that they load no torch.
MAY_IMPORT["config"] = {
    *("core", "data", "records", "models", "observers", "quantizers", "training", "export"),
    *("memory", "allocate", "sensitivity", "ptq"),
}
MAY_IMPORT["report"] = {
    *("records", "tables", "tracking", "analysis", "sensitivity", "export", "config"),
}
MAY_IMPORT["run"] = {*BELOW, "config"}
MAY_IMPORT["sweep"] = {"run", "config", "report", "records", "tables", "tracking"}
MAY_IMPORT["notebook"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)
EVERYTHING = set(MAY_IMPORT)

# Where a third party may be imported; everywhere if it is not named.
TORCH_FREE = {"base", "records", "tables", "report", "config"}
ONLY_IN: dict[str, set[str]] = {
    "hydra": {"config", "sweep"},
    "omegaconf": {"config", "sweep"},
    "lightning": {"training", "tracking", "run"},
    "onnx": {"export"},
    "onnxruntime": {"export"},
    "openvino": {"export"},
    "matplotlib": {"tracking", "tables"},
    "rich": {"cli", "report", "sweep"},
    "timm": {"models"},
    "huggingface_hub": {"models"},
    "torch": EVERYTHING - TORCH_FREE,
    "torchvision": EVERYTHING - TORCH_FREE,
}
# Only this file uses the solver of integer programs.
MILP_FILES = {"allocate/ilp.py"}


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Every node of a file that imports something or defines a class."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom | ast.ClassDef)]


@cache
def imported(path: Path) -> frozenset[str]:
    """Dotted names that a file imports, at any depth of it."""
    names: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full, not relative"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def room_of(path: Path) -> str:
    return path.relative_to(QAT).parts[0]


def name_of(path: Path) -> str:
    return path.relative_to(QAT).as_posix()


def test_every_room_has_a_row():
    assert {room_of(path) for path in ROOM_FILES} <= MAY_IMPORT.keys()


ROOMS = sorted({room_of(path) for path in ROOM_FILES})


def files_of(room: str) -> list[Path]:
    return [path for path in ROOM_FILES if room_of(path) == room]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room):
    """Names directly under qat are its public ones; a room goes to their homes."""
    for path in files_of(room):
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("qat.")}
        assert rooms - {room, "__version__"} - LOWEST <= MAY_IMPORT[room], name_of(path)


@pytest.mark.parametrize("room", ROOMS)
def test_the_files_of_a_room_form_layers(room):
    """No circle, not even one that only types need: each file has a place above what it uses."""
    names = {dotted_name(path): path for path in files_of(room)}
    used = {name: {home_of(each, names) for each in imported(names[name])} for name in names}
    assert circle_in({name: others - {None, name} for name, others in used.items()}) == []


def circle_in(used):
    """Names of files that import each other in a circle; empty if there is none."""
    try:
        TopologicalSorter(used).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_a_circle_is_seen():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}


def dotted_name(path: Path) -> str:
    parts = path.relative_to(QAT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home_of(name: str, files: dict[str, Path]) -> str | None:
    """The file that defines a dotted name; None if it is not one of these."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name or None


@pytest.mark.parametrize("room", ROOMS)
def test_third_parties_stay_within_their_borders(room):
    for path in files_of(room):
        packages = {name.split(".")[0] for name in imported(path)}
        outside = {p for p in packages & ONLY_IN.keys() if room not in ONLY_IN[p]}
        assert not outside, name_of(path)
        if any(name.endswith(".milp") for name in imported(path)):
            assert name_of(path) in MILP_FILES


@pytest.mark.parametrize("path", sorted(QAT.glob("*.py")), ids=name_of)
def test_the_package_itself_imports_only_the_command_line_and_the_lowest_room(path):
    names = imported(path)
    assert {name.split(".")[1] for name in names if name.startswith("qat.")} <= {"cli", *LOWEST}
    assert not {name.split(".")[0] for name in names} & ONLY_IN.keys()


def test_the_guide_has_the_same_table():
    rows = {}
    for line in (QAT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[2]
    assert set(rows) == {room_of(path) for path in ROOM_FILES}
    assert rows.pop("cli") == "all"
    assert rows.pop("notebook") == "every room above"
    assert rows.pop("run") == "every room above but report"
    for room, words in rows.items():
        assert set(words.split(", ")) == (MAY_IMPORT[room] or {"nothing of ours"}), room


def test_public_classes_have_names_of_their_own():
    homes: dict[str, list[str]] = {}
    for path in FILES:
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(f"{name_of(path)}:{node.lineno}")
    assert not {name: places for name, places in homes.items() if len(places) > 1}


def test_files_stay_small():
    lines = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert not {name: count for name, count in lines.items() if count > 400}
