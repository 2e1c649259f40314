"""A sweep of two jobs at a time, killed again and again: does it end as one that was left alone?

    python -m bench.kills FOLDER [--kills 30] [--out FILE]

Each kill is a SIGKILL at a random moment: of the sweep's own process, of one of its workers, or of
all of them together. After a kill the same command is given again; when a sweep ends undisturbed a
new round begins with empty folders. Counted are: runs that had finished and were made again, runs
whose numbers differ from those of the undisturbed sweep in any bit, and files that a dead process
left behind (temporary files, names of lock holders, held locks).

The campaign can itself be stopped and started: ``FOLDER/kills.jsonl`` has a line for each kill.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench._report import write_report

WORDS = (
    *("data=synthetic", "float=smoke", "tracking=none", "measure.repeats=1", "measure.warmup=0"),
    *("+data.options.image_size=8", "data.train_images=256", "trainer.max_epochs=2"),
    *("mode=static,qat", "scheme=w8a8,w4a4", "seed=0,1"),
    *("hydra/launcher=parallel", "hydra.launcher.n_jobs=2"),
)
RUNS = 8
TIMES = ("latency", "speedup")
VICTIMS = ("sweep", "worker", "all")
LOG_NAME, WHOLE_NAME = "kills.jsonl", "undisturbed.json"
LONGEST_SECONDS = 600


def start(home: Path) -> subprocess.Popen[bytes]:
    """The sweep, in a group of its own; what it prints is kept beside its folders."""
    paths = {f"QAT_{name.upper()}": str(home / name) for name in ("runs", "cache", "data")}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "output.txt").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "qat", "run", "-m", *WORDS],
            env=os.environ | paths | {"OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def workers(pid: int) -> list[int]:
    """Processes below one that compute for it."""
    found = []
    for child in _children(pid):
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if b"popen_loky" in words:
            found.append(child)
        found += workers(child)
    return found


def kill(process: subprocess.Popen[bytes], victim: str, chance: random.Random) -> str:
    """SIGKILL a victim; returns who it was, ``sweep`` where there are no workers yet."""
    living = workers(process.pid)
    if victim == "worker" and living:
        os.kill(chance.choice(living), signal.SIGKILL)
        return victim
    if victim == "all":
        os.killpg(process.pid, signal.SIGKILL)
        return victim
    os.kill(process.pid, signal.SIGKILL)
    return "sweep"


def done_runs(home: Path) -> dict[str, str]:
    """Id → digest of its record, of every run that is done. Every record is whole."""
    found = {}
    for path in sorted((home / "runs").glob("*/run.json")):
        text = path.read_bytes()
        if json.loads(text)["status"] == "done":
            found[path.parent.name] = hashlib.sha256(text).hexdigest()
    return found


def numbers(home: Path) -> dict[str, Any]:
    """Id → metrics and digests of the packed files, of every finished run; times aside."""
    found = {}
    for path in sorted((home / "runs").glob("*/run.json")):
        record = json.loads(path.read_text())
        if record["status"] != "done":
            continue
        kept = {k: v for k, v in record["metrics"].items() if not any(t in k for t in TIMES)}
        packed = (path.parent / "packed.safetensors").read_bytes()
        found[record["id"]] = kept | {"packed": hashlib.sha256(packed).hexdigest()}
    return found


def left_behind(home: Path) -> list[str]:
    """Files that only a living process needs."""
    from qat.records.lock import HOLDER_NAME, is_held

    paths = [p for part in ("runs", "cache") for p in (home / part).rglob("*") if p.is_file()]
    odd = [
        path
        for path in paths
        if path.name == HOLDER_NAME
        or path.suffix in (".tmp", ".part")
        or (path.name.startswith(".") and ".studies" not in path.parts)
    ]
    held = [path for path in (home / "runs").glob("*/run.lock") if is_held(path.parent)]
    return sorted(str(path.relative_to(home)) for path in (*odd, *held))


def campaign(folder: Path, kills: int) -> dict[str, Any]:
    """Kill until there were enough, and say what came of it."""
    whole, seconds = _undisturbed(folder)
    log = folder / LOG_NAME
    lines = _lines(log)
    while len(lines) < kills:
        number = lines[-1]["round"] + (lines[-1]["ended"] is not None) if lines else 0
        line = _one_kill(folder / f"round{number}", number, len(lines), seconds, whole)
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        lines.append(line)
        print(line, flush=True)
    if lines[-1]["ended"] is None:
        home = folder / f"round{lines[-1]['round']}"
        before = done_runs(home)
        code = _wait(start(home))
        lines[-1]["ended"] = _verdict(home, before, whole, code)
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return _summary(lines)


def _one_kill(
    home: Path, number: int, index: int, seconds: float, whole: dict[str, Any]
) -> dict[str, Any]:
    """Start the sweep and kill once; after a worker alone was killed, wait for the end."""
    chance = random.Random(index)
    while True:
        before = done_runs(home)
        process = start(home)
        # One in four before there are workers, the others spread over what they have left to do.
        left = seconds * max(RUNS - len(before), 2) / RUNS
        early = index % 4 == 3
        moment = chance.uniform(0.0, 0.1 * seconds if early else 0.7 * left)
        if not early:
            _await_workers(process)
        try:
            code = process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            break
        # It ended before the moment came: that round is over, and no kill of it counts.
        ended = _verdict(home, before, whole, code)
        _raise_if(ended)
        home = home.with_name(f"{home.name}x")  # and the kill is made in a new one
    victim = kill(process, VICTIMS[index % len(VICTIMS)], chance)
    ended = None
    if victim == "worker":
        ended = _verdict(home, before, whole, _wait(process))
    else:
        process.wait()
    made_again = [name for name, text in before.items() if done_runs(home).get(name) != text]
    return {
        "round": number,
        "victim": victim,
        "after_seconds": round(moment, 2),
        "done_before": len(before),
        "made_again": made_again,
        "ended": ended,
    }


def _await_workers(process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not workers(process.pid):
        time.sleep(0.1)


def _raise_if(ended: dict[str, Any]) -> None:
    """Stop at a sweep that was not disturbed and still went wrong."""
    if ended["code"] or ended["made_again"] or ended["different"]:
        raise RuntimeError(f"a sweep that was not killed went wrong: {ended}")


def _verdict(
    home: Path, before: dict[str, str], whole: dict[str, Any], code: int
) -> dict[str, Any]:
    after, found = done_runs(home), numbers(home)
    return {
        "code": code,
        "made_again": [name for name, text in before.items() if after.get(name) != text],
        "different": [name for name in whole if found.get(name) != whole[name]],
        "left_behind": left_behind(home),
    }


def _summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    ends = [line["ended"] for line in lines if line["ended"] is not None]
    made_again = [name for line in [*lines, *ends] for name in line["made_again"]]
    return {
        "kills": len(lines),
        "victims": dict(Counter(line["victim"] for line in lines)),
        "sweeps_ended": len(ends),
        "failed": sum(end["code"] != 0 for end in ends),
        "made_again": len(made_again),
        "different": sum(len(end["different"]) for end in ends),
        "left_behind": sorted({name for end in ends for name in end["left_behind"]}),
    }


def _undisturbed(folder: Path) -> tuple[dict[str, Any], float]:
    """Numbers of a sweep that was left alone, and the seconds it took."""
    path = folder / WHOLE_NAME
    if not path.exists():
        begun = time.monotonic()
        code = _wait(start(folder / "undisturbed"))
        taken = time.monotonic() - begun
        found = numbers(folder / "undisturbed")
        if code or len(found) != RUNS:
            raise RuntimeError(f"the undisturbed sweep ended with {code}, {len(found)} runs done")
        path.write_text(json.dumps({"numbers": found, "seconds": taken}))
    kept = json.loads(path.read_text())
    return kept["numbers"], kept["seconds"]


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return -1


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _children(pid: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, tasks.read_text().split())
        except OSError:  # it has just ended
            continue


def main(arguments: list[str] | None = None) -> int:
    """Kill and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where runs and the log are kept")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    write_report("kills", campaign(options.folder, options.kills), options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
