"""Run tutorials, each in a process of its own: ``python -m docs._generate.tutorials [NAME...]``."""

import argparse
import subprocess
import sys

from docs._generate.pages import ROOT
from docs._generate.tutorials.execute import environment
from docs._generate.tutorials.folder import names


def main(words: list[str]) -> int:
    """Run the pages that are named, or all of them; the exit code is 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m docs._generate.tutorials")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}")
    parser.add_argument("--check", action="store_true", help="write nothing; print what differs")
    parser.add_argument("--keep", action="store_true", help="keep the folder where it ran")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.names) - set(names()):
        parser.error(f"no tutorial {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    flags = [f"--{flag}" for flag in ("check", "keep") if getattr(arguments, flag)]
    one = [sys.executable, "-m", f"{__package__}.one"]
    codes = [
        subprocess.run([*one, name, *flags], env=environment(), cwd=ROOT).returncode
        for name in arguments.names or names()
    ]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
