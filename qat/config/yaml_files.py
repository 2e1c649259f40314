"""Where the YAML files are, and what they offer; read without Hydra, so that lists are quick."""

import os
import re
from pathlib import Path

ROOT_CONFIG = "run"


def config_dir() -> Path:
    """The folder ``conf``: inside the package if it was installed from a wheel, else beside it.

    Raises:
        FileNotFoundError: If there is none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / f"{ROOT_CONFIG}.yaml").is_file():
            return folder
    raise FileNotFoundError(f"no conf/{ROOT_CONFIG}.yaml beside {package}; reinstall qatlab")


def files(group: str, extra_dir: Path | None = None) -> dict[str, Path]:
    """A group's files by name, sorted; one of the user's hides ours of that name, as in Hydra.

    A file in a subfolder is named by it as well: ``mine/first``.

    Args:
        group: Name of the group.
        extra_dir: Folder of the user's YAML.
    """
    paths = {
        path.relative_to(root / group).with_suffix("").as_posix(): path
        for root in roots(extra_dir)
        for path in (root / group).rglob("*.yaml")
    }
    return dict(sorted(paths.items()))


def options(group: str, extra_dir: Path | None = None) -> list[str]:
    """Names of a group's files, sorted."""
    return list(files(group, extra_dir))


def groups(extra_dir: Path | None = None) -> list[str]:
    """Names of all groups, sorted."""
    folders = (path for root in roots(extra_dir) for path in root.iterdir() if path.is_dir())
    return sorted({path.name for path in folders})


def summary(path: Path) -> str:
    """What a file says it is: the first sentence of its comment, package directives aside."""
    said: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.lstrip("# ").strip()
        if text.startswith("@"):
            continue
        ended = bool(said) and (said[-1].endswith((".", "?")) or re.match(r"[A-Z]\w*: ", text))
        if ended or not line.startswith("#"):
            break
        said.append(text.removeprefix("Asks:").strip())
    return " ".join(said)


def roots(extra_dir: Path | None) -> list[Path]:
    """Our folder of YAML and, if there is one, the user's."""
    return [config_dir()] + ([extra_dir] if extra_dir else [])


def default_path(name: str) -> Path:
    """A folder of ``paths`` (``data``, ``runs``, ``cache``) where no configuration is composed."""
    return Path(os.environ.get(f"QAT_{name.upper()}", name)).expanduser()
