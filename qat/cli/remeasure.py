"""``qat parity`` and ``qat measure`` compare and time a finished run in its runtime again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE, FAILED
from qat.cli.export import float_of
from qat.export.parity.network import Exported
from qat.export.read import read_with_names
from qat.export.runtimes.labels import HALF
from qat.records.file_names import LATENCY_NAME, PARITY_NAME
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.report.console import draw_progress
from qat.report.printed import print_deployment, print_record_line
from qat.run.deploy.deployment import compare, time_networks
from qat.run.deploy.latency import FLOAT, NETWORK, latency_spec
from qat.run.load import LoadedRun, load_run
from qat.run.outputs import logits_of_test_set
from qat.run.progress import stage
from qat.run.stage_result import StageResult

Targets = tuple[str | None, str | None]
"""Targets of ``model=user`` and of ``data=user``."""


def parity_command(folder: Path, targets: Targets = (None, None)) -> int:
    """Compare the runtime with the simulation again; print and record the result.

    Args:
        folder: Folder of the run.
        targets: For a run of ``model=user`` or ``data=user``.

    Returns:
        0 if the network passes the parity gate, 1 if it misses it.

    Raises:
        RequestError: If the folder has no run, or the run has no exported network.
        ValueError: If a file of the run is damaged.
    """
    with _exported_run(folder, targets) as run:
        prepared, deployed = run.prepared, StageResult()
        exported = _exported(RunFolder(folder), run)
        logits = logits_of_test_set(prepared, exported.qnet, "evaluation")
        compare(deployed, prepared, exported, logits, folder, stage)
        record = _keep(RunFolder(folder), run.record, deployed)
    print_deployment(folder, record)
    print_record_line(RunFolder(folder).record_path)
    return FAILED if deployed.gate == "failed" else DONE


def measure_command(
    folder: Path, batches: list[int], threads: list[int], targets: Targets = (None, None)
) -> int:
    """Time the exported networks again; print and record the result.

    Args:
        folder: Folder of the run.
        batches: Batch sizes; those of the run if empty.
        threads: Thread counts; those of the run if empty.
        targets: For a run of ``model=user`` or ``data=user``.

    Returns:
        The exit code.

    Raises:
        RequestError: If the folder has no run, or the run has no exported network.
        ValueError: If a file of the run is damaged, or a number is out of range.
    """
    with _exported_run(folder, targets) as run:
        timing = run.prepared.timing
        own = latency_spec(timing).threads[0]  # its metrics keep their names, others have a suffix
        timing = replace(
            timing, batches=batches or timing.batches, threads=threads or timing.threads
        )
        files = RunFolder(folder)
        networks = {k: a for k, a in run.record.artifacts.items() if k in (FLOAT, HALF, NETWORK)}
        onnx_files = {name: files.verified(artifact) for name, artifact in networks.items()}
        label = run.record.unmeasured.get("latency_ms")
        deployed = StageResult(
            files=onnx_files, not_measured={"latency_ms": label} if label else {}
        )
        with stage("latency"):
            example, half = run.prepared.images.example(), run.prepared.mode.is_half
            time_networks(deployed, timing, example, folder, half=half, plain_threads=own)
        record = _keep(files, run.record, deployed)
    print_deployment(folder, record)
    print_record_line(files.record_path)
    return DONE


@contextmanager
def _exported_run(folder: Path, targets: Targets) -> Iterator[LoadedRun]:
    """Load a run that has an exported network, and hold its lock within the block."""
    files = RunFolder(folder)
    if files.state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    with files.lock():
        draw_progress()
        with stage("loading", verbose=False):
            run = load_run(folder, *targets)
        run.complain_of_unverified()
        if (reason := run.prepared.mode.no_export_reason) is not None:
            raise RequestError(f"run {run.record.id} has no exported network: {reason}")
        yield run


def _exported(files: RunFolder, run: LoadedRun) -> Exported:
    """The exported file, whose digest is verified, and the network that it represents."""
    if run.qnet is None:
        return Exported(files.verified(run.record.artifacts[FLOAT]), float_of(run))
    file = files.verified(run.record.artifacts[NETWORK])
    if run.prepared.mode.is_half:
        return Exported(file, run.qnet, half=True)
    if run.prepared.mode.is_dynamic:
        return Exported(file, run.qnet)
    return Exported(file, run.qnet, *read_with_names(run.qnet, run.prepared.images.example()))


def _keep(files: RunFolder, record: RunRecord, deployed: StageResult) -> RunRecord:
    """Write the results and the digests of their files into the record; they replace old ones."""
    written = {
        name: files.artifact(path)
        for name, path in deployed.files.items()
        if path.name in (PARITY_NAME, LATENCY_NAME)
    }
    renewed = record.move_to(
        "done",
        gate=deployed.gate or record.gate,
        metrics={
            k: v
            for k, v in {**record.metrics, **deployed.metrics}.items()
            if k not in deployed.not_measured
        },
        artifacts={**record.artifacts, **written},
        unmeasured={
            k: v
            for k, v in {**record.unmeasured, **deployed.not_measured}.items()
            if k not in deployed.metrics
        },
    )
    files.write(renewed)
    return renewed
