"""``qat init`` makes a project of the user's own: methods, data, a study and tests in a package.

The template is ``examples/own_method`` of the checkout, a package whose tests pass; a wheel has it
as ``qat/template``. A project is a copy of it, in which the name of the package is replaced.
"""

import importlib.util
import keyword
import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

from qat.base.errors import FileUnavailableError, RequestError
from qat.base.exit_codes import DONE
from qat.base.printing import print_line, print_lines

TEMPLATE_PACKAGE = "own_method"
PARTS = (TEMPLATE_PACKAGE, "conf", "tests", "README.md", "pyproject.toml", ".gitignore")
"""Files and folders of the template; a folder in which somebody works has others."""
TAKEN = ("conf", "tests", "runs", "cache", "data")
"""Folders that a project has or gets."""
_PACKAGE = re.compile(r"[A-Za-z](\w*[A-Za-z0-9])?", re.ASCII)
_NEXT_STEPS = """\
next:{cd}
  qat run -m --config-dir conf experiment=shift_steps
  qat table shift_steps --config-dir conf
  python -m pytest
README.md says what each file is."""


def init_command(folder: Path, package: str | None = None) -> int:
    """Write a project, and print what to do next.

    Args:
        folder: Where; it must not exist or must be empty. Its parents are created.
        package: Name of the package; None: the name of the folder, with ``_`` for ``-``.

    Returns:
        The exit code.

    Raises:
        RequestError: If the folder has files, or the name cannot be that of a package.
        FileUnavailableError: If the files cannot be written. Then none is left behind.
    """
    name = folder.resolve().name.replace("-", "_") if package is None else package
    _check_folder(folder)
    _check_package(name)
    files = project_files(name)
    _write(folder, files)
    print_line(f"{folder}: {len(files)} files; the package is {name}")
    is_here = folder.resolve() == Path.cwd()
    print_lines(_NEXT_STEPS.format(cd="" if is_here else f"\n  cd {shlex.quote(str(folder))}"))
    return DONE


def project_files(package: str) -> dict[str, str]:
    """The files of a project: path below its folder → text.

    Args:
        package: Name of the package.

    Example:
        >>> "mine/quantizer.py" in project_files("mine")
        True
    """
    root = template_dir()
    paths = [path for part in PARTS for path in (root / part, *sorted((root / part).rglob("*")))]
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }
    return {_renamed(path, package): _renamed(text, package) for path, text in texts.items()}


def template_dir() -> Path:
    """The folder of the template: in the package of a wheel, else in ``examples`` beside it.

    Raises:
        FileUnavailableError: If there is no such folder.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "template", package.parent / "examples" / TEMPLATE_PACKAGE):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise FileUnavailableError(f"the template of qat init is not in {package}: reinstall qatlab")


def _renamed(text: str, package: str) -> str:
    plain = text.replace(TEMPLATE_PACKAGE, package)
    return plain.replace(TEMPLATE_PACKAGE.replace("_", "-"), package.replace("_", "-"))


def _check_folder(folder: Path) -> None:
    """Refuse a folder with files other than those of git."""
    try:
        names = sorted({path.name for path in folder.iterdir()} - {".git"})
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_writable(folder, error) from error
    if names:
        several = ", ..." if len(names) > 3 else ""
        raise RequestError(
            f"{folder} is not empty ({', '.join(names[:3])}{several}): "
            "name a folder that does not exist, or an empty one"
        )


def _check_package(name: str) -> None:
    if not _PACKAGE.fullmatch(name) or keyword.iskeyword(name):
        raise RequestError(
            f"{name!r} cannot be the name of a package: use letters, digits and _, begin with a "
            f"letter, and do not end with _, such as --package {_similar(name)}"
        )
    if name in TAKEN or _is_installed(name):
        owner = "is a folder of the project" if name in TAKEN else "is a package already"
        raise RequestError(f"{name!r} {owner}: choose another name, such as --package my_{name}")


def _similar(name: str) -> str:
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return (
        plain
        if _PACKAGE.fullmatch(plain) and not keyword.iskeyword(plain)
        else f"my_{plain or 'package'}"
    )


def _is_installed(name: str) -> bool:
    """Whether a module of this name can be imported; a folder without Python files is none."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write all files aside, and move them into the folder when they are complete."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".init-", dir=folder) as name:
            aside = Path(name)
            for path, text in files.items():
                (aside / path).parent.mkdir(parents=True, exist_ok=True)
                (aside / path).write_text(text, encoding="utf-8")
            for entry in sorted(aside.iterdir()):
                entry.rename(folder / entry.name)
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(folder: Path, error: OSError) -> FileUnavailableError:
    return FileUnavailableError(
        f"cannot write a project to {folder}: {error.strerror or error}; "
        "name a folder that you can write to, or free space"
    )
