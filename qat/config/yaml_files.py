"""The YAML files: their folders, groups and names. Loads no Hydra, so that lists are quick."""

import os
import re
import shlex
from pathlib import Path

ROOT_CONFIG = "run"
"""Name of the file that Hydra composes first."""


def config_dir() -> Path:
    """The folder ``conf``: inside the package if that was installed from a wheel, else beside it.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / f"{ROOT_CONFIG}.yaml").is_file():
            return folder
    raise FileNotFoundError(f"no conf/{ROOT_CONFIG}.yaml beside {package}; reinstall qatlab")


def files(group: str, extra_dir: Path | None = None) -> dict[str, Path]:
    """Name → path of a group's files, sorted by name.

    A file of the user's replaces the project's file of the same name, as in Hydra. The name of a
    file in a subfolder contains the subfolder: ``mine/first``.

    Args:
        group: Name of the group.
        extra_dir: Folder of the user's YAML; None if there is none.
    """
    paths = {
        path.relative_to(root / group).with_suffix("").as_posix(): path
        for root in roots(extra_dir)
        for path in (root / group).rglob("*.yaml")
    }
    return dict(sorted(paths.items()))


def options(group: str, extra_dir: Path | None = None) -> list[str]:
    """Names of a group's files, sorted.

    Args:
        group: Name of the group.
        extra_dir: Folder of the user's YAML; None if there is none.

    Example:
        >>> options("export")
        ['default', 'none', 'onnx']
    """
    return list(files(group, extra_dir))


def groups(extra_dir: Path | None = None) -> list[str]:
    """Names of all groups, sorted."""
    folders = (path for root in roots(extra_dir) for path in root.iterdir() if path.is_dir())
    return sorted({path.name for path in folders})


def summary(path: Path) -> str:
    """The first sentence of a file's comment, without package directives."""
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.lstrip("# ").strip()
        if text.startswith("@"):
            continue
        ended = bool(lines) and (lines[-1].endswith((".", "?")) or re.match(r"[A-Z]\w*: ", text))
        if ended or not line.startswith("#"):
            break
        lines.append(text.removeprefix("Asks:").strip())
    return " ".join(lines)


def roots(extra_dir: Path | None) -> list[Path]:
    """The project's folder of YAML and, if there is one, the user's."""
    return [config_dir()] + ([extra_dir] if extra_dir else [])


def default_path(name: str) -> Path:
    """The default of ``paths.NAME``, for commands that compose no configuration.

    Args:
        name: ``data``, ``runs`` or ``cache``; the environment variable ``QAT_NAME`` changes it.
    """
    return Path(os.environ.get(f"QAT_{name.upper()}", name)).expanduser()


def config_dir_flag(extra_dir: Path | None) -> str:
    """`` --config-dir DIR`` for a command to type; empty without such a folder.

    Args:
        extra_dir: Folder of the user's YAML; None if there is none.

    Example:
        >>> config_dir_flag(Path("my conf")), config_dir_flag(None)
        (" --config-dir 'my conf'", '')
    """
    if extra_dir is None:
        return ""
    here = Path.cwd()
    path = here / extra_dir
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f" --config-dir {shlex.quote(str(shown))}"
