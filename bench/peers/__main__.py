"""Training steps of other projects, measured again: none of them is a dependency of this one.

    python -m bench.peers [modelopt torchao aimet brevitas torch_ao] [--batch 128] [--steps 15]
                          [--out experiments/bench] [--environments FOLDER]

Each peer gets a virtual environment in a temporary folder (kept in ``--environments``, if given).
It is made by ``uv``, gets the packages of the peer except torch and torchvision, and takes those
from the environment that runs this command, so that all peers run the same torch and nothing large
is loaded. ResNet-20, batch 128, 32 pixels, 8 bits; the peer's step and the float step take turns in
one process. Writes ``OUT/peer_NAME.json``; a peer that cannot be installed or run gets a report
with the reason.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench._commands import PROJECT
from bench._report import write_report

LEFT_OUT = ("torch", "torchvision")
"""Packages that come from the environment of this command."""


@dataclass(frozen=True)
class Peer:
    """One project.

    Args:
        packages: Of its environment; none if it is a part of torch.
    """

    packages: tuple[str, ...] = ()


PEERS = {
    # It imports the other two without requiring them.
    "modelopt": Peer(("nvidia-modelopt==0.47.0", "huggingface_hub", "requests")),
    "torchao": Peer(("torchao==0.18.0",)),
    "aimet": Peer(("aimet-torch==2.42.0",)),
    "brevitas": Peer(("brevitas==0.13.4",)),
    "torch_ao": Peer(),
}


def make_environment(peer: Peer, folder: Path) -> Path:
    """The interpreter of the peer's environment, which is made if it is not there.

    Args:
        peer: Whose packages it gets.
        folder: Of the environment.
    """
    if not peer.packages:
        return Path(sys.executable)
    python = folder / "bin" / "python"
    if python.exists():
        return python
    _uv("venv", "--python", sys.executable, str(folder))
    never = folder / "left_out.txt"
    never.write_text("".join(f"{name} ; python_version < '0'\n" for name in LEFT_OUT))
    _uv("pip", "install", "--python", str(python), "--override", str(never), *peer.packages)
    packages = next(folder.glob("lib/python*/site-packages"))
    # Its own packages come first.
    (packages / "zz_shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def measure(name: str, environments: Path, words: list[str], out: Path) -> str | None:
    """Install a peer and run its script.

    Args:
        name: Of the peer.
        environments: Folder of the virtual environments.
        words: Of the script.
        out: File of its report.

    Returns:
        Why there are no figures, or None.
    """
    try:
        python = make_environment(PEERS[name], environments / name)
    except (subprocess.CalledProcessError, OSError) as error:
        return f"{', '.join(PEERS[name].packages)} cannot be installed: {_last_line(error)}"
    command = [str(python), "-W", "ignore", "-m", f"bench.peers.{name}", *words, "--out", str(out)]
    variables = os.environ | {"PYTHONPATH": str(PROJECT)}
    try:
        subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        return f"its step does not run here: {_last_line(error)}"
    return None


def _uv(*words: str) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    subprocess.run([uv, "-q", *words], check=True, capture_output=True, text=True)


def _last_line(error: Exception) -> str:
    text = getattr(error, "stderr", None) or str(error)
    return str(text.strip().splitlines()[-1])


def main(arguments: list[str] | None = None) -> int:
    """Measure each peer; one without figures leaves its reason."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers", description=__doc__, formatter_class=_Raw
    )
    parser.add_argument("names", nargs="*", help=f"default: {', '.join(PEERS)}")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--out", type=Path, default=PROJECT / ".bench", help="folder of reports")
    parser.add_argument("--environments", type=Path, help="folder that keeps them")
    args = parser.parse_args(arguments)
    unknown = [name for name in args.names if name not in PEERS]
    if unknown:
        parser.error(f"no peer {', '.join(unknown)}; there are {', '.join(PEERS)}")
    words = ["--batch", str(args.batch), "--steps", str(args.steps)]
    with tempfile.TemporaryDirectory() as folder:
        environments = (args.environments or Path(folder)).resolve()
        for name in args.names or PEERS:
            path = args.out.resolve() / f"peer_{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            reason = measure(name, environments, words, path)
            print(f"{name}: {reason or path}", flush=True)
            if reason:
                write_report(f"peers.{name}", {"peer": name, "reason": reason}, path)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
