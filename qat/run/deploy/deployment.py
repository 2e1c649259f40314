"""The last stages of a run: its network as a file of a runtime, compared, evaluated, timed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from torch import Tensor, nn

from qat.config.checks.deployment import exports
from qat.config.modes import is_half
from qat.config.schema import RunConfig
from qat.export.onnx.file import save_onnx
from qat.export.onnx.floating import float_onnx, half_onnx
from qat.export.onnx.network import export_onnx
from qat.export.parity.network import Exported
from qat.export.runtimes.labels import HALF, HALF_SIMULATED
from qat.export.runtimes.registry import make_runtime
from qat.records.file_names import LATENCY_NAME
from qat.run.deploy.latency import FLOAT, NETWORK, run_latency
from qat.run.deploy.parity import run_parity
from qat.run.prepare import Prepared
from qat.run.results import NO_LABELS
from qat.run.stage_result import StageResult

NETWORK_NAME, FLOAT_NAME, HALF_NAME = "network.onnx", "float.onnx", "half.onnx"
OF_RUNTIME = ("runtime_top1", "latency_ms", "float_latency_ms", "speedup")
Timed = Callable[[str], AbstractContextManager[None]]


def deploy(
    prepared: Prepared,
    folder: Path,
    net: nn.Module,
    qnet: nn.Module | None,
    logits: Tensor,
    timed: Timed,
) -> StageResult:
    """Export a network and measure it in its runtime, as far as the configuration asks for it.

    Args:
        prepared: The checked request.
        folder: The run's.
        net: The float network.
        qnet: The quantized one; None in mode float.
        logits: In torch, of the whole test set: of ``qnet``, or of ``net`` without one.
        timed: Takes the seconds of a stage.
    """
    config = prepared.config
    if (reason := why_not(config)) is not None:
        return StageResult(not_measured=dict.fromkeys(OF_RUNTIME, reason))
    deployed = StageResult()
    with timed("export"):
        half = is_half(config)
        exported = export_files(deployed, folder, net, qnet, prepared.example(), half=half)
    if config.measure.runtime == "none":
        deployed.not_measured = dict.fromkeys(OF_RUNTIME, "measure.runtime=none")
        return deployed
    compare(deployed, prepared, folder, exported, logits, timed)
    with timed("latency"):
        time_networks(deployed, prepared, folder)
    return deployed


def why_not(config: RunConfig) -> str | None:
    """Why a run has no exported network; None if it has one."""
    if exports(config):
        return None
    if config.export.onnx == "never":
        return "export=none"
    if config.mode in ("float", "dynamic"):
        return "export=onnx measures it in a runtime"
    return "needs scheme.placement=integer: placement academic leaves float between the layers"


def export_files(
    deployed: StageResult,
    folder: Path,
    net: nn.Module,
    qnet: nn.Module | None,
    example: Tensor,
    *,
    half: bool = False,
) -> Exported:
    """Write the network; and what it is timed against, the float network, or that in float16."""
    whole = float_onnx(net, example)
    deployed.files[FLOAT] = folder / FLOAT_NAME
    deployed.metrics["float_onnx_bytes"] = save_onnx(whole, folder / FLOAT_NAME)
    if qnet is None:
        deployed.files[HALF] = folder / HALF_NAME
        deployed.metrics["half_onnx_bytes"] = save_onnx(half_onnx(whole), folder / HALF_NAME)
        return Exported(folder / FLOAT_NAME, net)
    if half:
        deployed.files[NETWORK] = folder / NETWORK_NAME
        deployed.metrics["onnx_bytes"] = save_onnx(half_onnx(whole), folder / NETWORK_NAME)
        return Exported(folder / NETWORK_NAME, qnet, half=True)
    exported = export_onnx(qnet, folder / NETWORK_NAME, example)
    deployed.files[NETWORK] = exported.file
    deployed.metrics["onnx_bytes"] = exported.file.stat().st_size
    return exported


def compare(
    deployed: StageResult,
    prepared: Prepared,
    folder: Path,
    exported: Exported,
    logits: Tensor,
    timed: Timed,
) -> None:
    """Parity, and the runtime's accuracy on the whole test set."""
    config = prepared.config
    runtime = make_runtime(config.measure.runtime)
    executed_by = f"{runtime.name} {runtime.version()}"
    deployed.protocol["evaluation"] = {"runtime": executed_by}
    with timed("parity"):
        parity = run_parity(
            config.parity,
            exported,
            runtime,
            prepared.test_batches(),
            logits,
            prepared.data.test.labels.cpu(),
            folder,
        )
    deployed.merge(parity)
    if not prepared.data.test.labelled:
        deployed.not_measured["runtime_top1"] = NO_LABELS


def time_networks(deployed: StageResult, prepared: Prepared, folder: Path) -> None:
    """Latency of the files; of one that the runtime computes in float only its size is told."""
    names = (FLOAT, HALF, NETWORK)
    files = {name: deployed.files[name] for name in names if name in deployed.files}
    if "latency_ms" in deployed.not_measured:
        simulated = files.pop(NETWORK)
        if is_half(prepared.config):  # what casts cost is worth knowing, under its own name
            files[HALF] = simulated
    shape = tuple(prepared.example().shape[1:])
    deployed.metrics |= run_latency(prepared.config.measure, files, shape, folder)
    if HALF in files and f"{HALF}_speedup" not in deployed.metrics:
        deployed.not_measured[f"{HALF}_speedup"] = HALF_SIMULATED
    deployed.files["latency"] = folder / LATENCY_NAME
