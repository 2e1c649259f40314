"""Output of a sweep: the number of runs and the expected time, a line for each run, a summary."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qat.base.complaints import hint_for
from qat.base.durations import duration
from qat.base.plurals import counted
from qat.base.printing import complain_line, print_line, print_lines, print_wrapped
from qat.base.text import plain_line
from qat.config.modes import model_name, trains
from qat.records.folder import RunFolder
from qat.records.names import NameWords, label_of
from qat.records.schema import RecordError, RunRecord
from qat.records.store import find_records
from qat.records.timings import Kind, Timings, past_timings
from qat.report.next_steps import sweep_steps
from qat.sweep.items import Item
from qat.sweep.point_names import point_words

LOOK_SECONDS = 0.5
PAST_RECORDS = 300
ENDED = ("done", "failed")


class SweepProgress:
    """Follows runs by reading their records, so that any process may compute them.

    Args:
        items: The runs to compute.
        requested: Number of points in the request, including equal points.
        before: Runs that were done before this sweep.
    """

    def __init__(self, items: Sequence[Item], requested: int, before: Sequence[Item]) -> None:
        self.items, self.requested, self.before = list(items), requested, len(before)
        self._before = list(before)
        self._missed_before = [item for item in before if self._outcome(item) != "done"]
        self._ended: dict[str, str] = {}
        all_items = [*items, *before]
        name_words = point_words([item.point for item in all_items])
        self._words = {item.id: word for item, word in zip(all_items, name_words, strict=True)}
        self._stale = {item.id: _stamp(item.folder) for item in items}
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.timings = self._past()

    def announce(self) -> None:
        """Print the number of runs and the expected time."""
        different = len(self.items) + self.before
        text = counted(self.requested, "run")
        if different != self.requested:
            text += f", {different} different"
        if self.before:
            text += f", {self.before} done before"
        if self.before or different != self.requested:
            text += f", {len(self.items)} to run"
        if self.items:
            text += f"; {self._expectation()}"
        print_wrapped(text, hang=2)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Print a line for each run that ends within the block."""
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(LOOK_SECONDS):
                self.look()

        thread = threading.Thread(target=watch, name="sweep-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.look()

    def look(self) -> None:
        """Print a line for each run that ended since the last call."""
        with self._lock:
            for item in self.items:
                if item.id not in self._ended and _stamp(item.folder) != self._stale[item.id]:
                    self._notice(item)

    def all_done(self) -> bool:
        """True if every run of the sweep is done and none missed its gate."""
        here = all(self._outcome(item) == "done" for item in self.items)
        return here and not self._missed_before

    def summarise(self) -> None:
        """Print how many runs ended in which state, with the first line of each error."""
        outcomes = [(item, self._outcome(item)) for item in [*self.items, *self._missed_before]]
        states = [state for _, state in outcomes]
        before = f" ({self.before} before)" if self.before else ""
        whole = self.before - len(self._missed_before)
        counts = [f"{whole + states.count('done')} done{before}"]
        counts += [f"{states.count(state)} {state}" for state in sorted({*states} - {"done"})]
        print_line(", ".join(counts))
        print_lines(self._steps())
        for item, state in outcomes:
            if state != "done":
                complain_line(f"{state}: {item.id} ({item.point.label}){_reason(item)}")

    def _steps(self) -> str:
        all_items = [*self._before, *self.items]
        names = {item.point.config.study.name for item in all_items}
        study = names.pop() if len(names) == 1 else None
        extra_dir = all_items[0].point.extra_dir
        outcomes = {item.folder: self._outcome(item) for item in all_items}
        return sweep_steps(outcomes, study, extra_dir)

    def _notice(self, item: Item) -> None:
        try:
            record = RunFolder(item.folder).read()
        except RecordError:
            return  # damaged or deleted; the summary reports it
        if record.status not in ENDED:
            return
        self._ended[item.id] = record.status
        count = f"[{len(self._ended)}/{len(self.items)}]"
        line = f"{count} {self._line(record)}{self._time_to_go()}"
        print_wrapped(line, hang=len(count) + 1)

    def _line(self, record: RunRecord) -> str:
        words = self._words.get(record.id, NameWords())
        name = f"{words.around(label_of(record), record.seed)} {record.id}"
        if record.error is not None:
            return f"failed  {name}: {plain_line(record.error)}"
        top1 = record.metrics.get("top1")
        figure = "" if top1 is None else f", top-1 {100 * top1:.2f} %"
        return f"done  {name}{figure}, {duration(sum(record.seconds.values()))}"

    def _time_to_go(self) -> str:
        """Remaining time, from the pace of this sweep; empty after the last run."""
        left = len(self.items) - len(self._ended)
        if not left:
            return ""
        taken = time.monotonic() - self._started
        return f"; about {duration(taken / len(self._ended) * left)} to go"

    def _outcome(self, item: Item) -> str:
        state = item.state()
        if state == "done" and RunFolder(item.folder).read().gate == "failed":
            return "missed its gate"
        return "not started" if state == "absent" else state

    def _expectation(self) -> str:
        seconds, unknown = self.timings.expected(_kind_to_come(item) for item in self.items)
        if unknown == len(self.items):
            return "expected time unknown: no similar run is finished"
        text = f"expected time {duration(seconds)}, one run after the other"
        return text + (f", without {counted(unknown, 'run')} of unknown time" if unknown else "")

    def _past(self) -> Timings:
        roots = dict.fromkeys(item.folder.parent for item in self.items)
        newest: list[Path] = []
        for root in roots:
            if root.is_dir():
                record_files = [path for path in root.glob("*/run.json")]
                newest += sorted(record_files, key=_changed, reverse=True)[:PAST_RECORDS]
        return past_timings(find_records(newest)[0])


def _kind_to_come(item: Item) -> Kind:
    config = item.point.config
    epochs = config.trainer.max_epochs if trains(config) else 0
    return Kind(config.mode, model_name(config.model), config.data.name, epochs)


def _reason(item: Item) -> str:
    try:
        error = RunFolder(item.folder).read().error
    except RecordError as damaged:
        return "" if item.state() == "absent" else f": {damaged}; force=true computes it again"
    return f": {plain_line(error)}{hint_for(error)}" if error else ""


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another process deleted it
        return 0


def _stamp(folder: Path) -> int:
    return _changed(RunFolder(folder).record_path)
