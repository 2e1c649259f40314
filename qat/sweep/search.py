"""``qat run -m hydra/sweeper=pareto``: runs the missing trials, then prints the Pareto front."""

from collections.abc import Callable, Sequence
from pathlib import Path

from omegaconf import DictConfig

from qat.base.exit_codes import DONE, FAILED
from qat.base.plurals import counted
from qat.base.printing import complain_line, print_line
from qat.config.compose import Point
from qat.records.store import find_records
from qat.records.studies import runs_of
from qat.report.printed import print_table
from qat.sweep.adaptive import SCALE, SearchPlan, failures, front
from qat.tables.table import make_table


def run_search(
    search: SearchPlan, sweeper: DictConfig, points: Sequence[Point], start: Callable[[], int]
) -> int:
    """Run the missing trials, then show the Pareto front as a table and figures.

    Args:
        search: Name of the study, and the number of missing trials.
        sweeper: The composed ``hydra.sweeper``.
        points: Points that were checked; the first one has the folder of runs and the objectives.
        start: Starts Hydra's sweeper, which runs the trials.

    Returns:
        0 if every trial that is possible is done, 1 otherwise.
    """
    from qat.report.study_figures import write_study_figures  # imports matplotlib

    print_line(f"{search.name}: {counted(search.done, 'trial')} done before, {search.to_go} to go")
    code = start() if search.to_go else DONE
    config = points[0].config
    runs = Path(config.paths.runs)
    folders = runs_of(runs, search.name, SCALE)
    records, problems = find_records(folders)
    best = front([r for r in records if r.status == "done"], config.objectives)
    print_line(
        f"Pareto front of {', '.join(config.objectives)}: {len(best)} of "
        f"{counted(len(records), 'run')}"
    )
    names = ["run", "mode", "weight_bits", "act_bits", "method", *config.objectives]
    print_table(make_table(best, names, group=("id",), problems=problems))
    by_id = {folder.name: folder for folder in folders}
    for path in write_study_figures(records, by_id, runs / ".tables" / search.name):
        print_line(path)
    for parameters in failures(sweeper, search.name):
        complain_line(f"trial failed: {parameters}")
    undone = [record for record in records if record.status != "done"]
    return FAILED if code or undone else DONE
