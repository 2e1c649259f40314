"""Where the YAML files are, and what they offer; read without Hydra, so that lists are quick."""

import os
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


def options(group: str) -> list[str]:
    """Names of a group's files, sorted."""
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml"))


def groups() -> list[str]:
    """Names of all groups, sorted."""
    return sorted(path.name for path in config_dir().iterdir() if path.is_dir())


def summary(group: str, name: str) -> str:
    """The first comment line of a file that is no package directive; what the file says it is."""
    for line in (config_dir() / group / f"{name}.yaml").read_text().splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("# ").strip()
        if not text.startswith("@"):
            return text.removeprefix("Asks:").strip()
    return ""


def default_path(name: str) -> Path:
    """A folder of ``paths`` (``data``, ``runs``, ``cache``) where no configuration is composed."""
    return Path(os.environ.get(f"QAT_{name.upper()}", name))
