"""The network of a run as an ONNX file, compared, evaluated and timed in its runtime."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from torch import Tensor, nn

from qat.config.schema import MeasureConfig
from qat.export.onnx.file import save_onnx
from qat.export.onnx.floating import float_onnx, half_onnx
from qat.export.onnx.network import export_onnx
from qat.export.parity.network import Exported
from qat.export.runtimes.labels import HALF, HALF_SIMULATED
from qat.export.runtimes.registry import make_runtime
from qat.records.file_names import LATENCY_NAME
from qat.run.deploy.latency import FLOAT, NETWORK, run_latency
from qat.run.deploy.parity import run_parity
from qat.run.prepared import Prepared
from qat.run.results import NO_LABELS, OF_RUNTIME
from qat.run.stage_result import StageResult

NETWORK_NAME, FLOAT_NAME, HALF_NAME = "network.onnx", "float.onnx", "half.onnx"
StageContext = Callable[[str], AbstractContextManager[None]]


def deploy(
    prepared: Prepared, net: nn.Module, qnet: nn.Module | None, logits: Tensor, stage: StageContext
) -> StageResult:
    """Export a network and measure it in its runtime, as the configuration says.

    Args:
        prepared: The run.
        net: The float network.
        qnet: The quantized network; None in mode float.
        logits: Outputs in torch on the whole test set, of ``qnet`` or, if that is None, of ``net``.
        stage: Makes a context that adds the time of a named stage to the results.

    Raises:
        ValueError: If the runtime is not installed, or the network cannot be exported.
    """
    mode, folder, example = prepared.mode, prepared.folder, prepared.images.example()
    deployed = StageResult()
    with stage("export"):
        exported = export_files(deployed, folder, net, qnet, example, half=mode.is_half)
    if prepared.timing.runtime == "none":
        deployed.not_measured = dict.fromkeys(OF_RUNTIME, "measure.runtime=none")
        return deployed
    compare(deployed, prepared, exported, logits, folder, stage)
    with stage("latency"):
        time_networks(deployed, prepared.timing, example, folder, half=mode.is_half)
    return deployed


def export_files(
    deployed: StageResult,
    folder: Path,
    net: nn.Module,
    qnet: nn.Module | None,
    example: Tensor,
    *,
    half: bool = False,
) -> Exported:
    """Write the network as ONNX, and the float network as the baseline of its speed-up.

    Args:
        deployed: Result that receives the files and their sizes.
        folder: The run's folder.
        net: The float network.
        qnet: The quantized network; None in mode float, where a float16 network is written too.
        example: A batch of images, shape (batch, channels, height, width).
        half: ``qnet`` is the float network in float16.

    Returns:
        The network that is compared with the runtime.

    Raises:
        ValueError: If an operation or a format of the network cannot be exported.
    """
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
    del whole  # as large as the network
    exported = export_onnx(qnet, folder / NETWORK_NAME, example)
    deployed.files[NETWORK] = exported.file
    deployed.metrics["onnx_bytes"] = exported.file.stat().st_size
    return exported


def compare(
    deployed: StageResult,
    prepared: Prepared,
    exported: Exported,
    logits: Tensor,
    folder: Path,
    stage: StageContext,
) -> None:
    """Measure parity, and the runtime's accuracy on the whole test set.

    Args:
        deployed: Result that receives metrics, files, protocol and gate.
        prepared: The run.
        exported: The network and its file.
        logits: Outputs in torch on the whole test set.
        folder: The run's folder.
        stage: Makes a context that adds the time of a named stage to the results.

    Raises:
        ValueError: If the runtime is not installed.
    """
    images = prepared.images
    runtime = make_runtime(prepared.timing.runtime)
    executed_by = f"{runtime.name} {runtime.version()}"
    deployed.protocol["evaluation"] = {"runtime": executed_by}
    with stage("parity"):
        parity = run_parity(
            prepared.parity,
            exported,
            runtime,
            images.test(),
            logits,
            images.labels,
            folder,
            prepared.memory.budget_bytes,
        )
    deployed.merge(parity)
    if not prepared.data.test.labelled:
        deployed.not_measured["runtime_top1"] = NO_LABELS


def time_networks(
    deployed: StageResult,
    settings: MeasureConfig,
    example: Tensor,
    folder: Path,
    *,
    half: bool,
    plain_threads: int | None = None,
) -> None:
    """Measure the latency of the exported files, except of one that the runtime runs in float.

    Args:
        deployed: Result that has the files and receives the metrics.
        settings: Runtime, batch sizes, threads, repetitions.
        example: A batch of images, whose shape the runtime is timed with.
        folder: The run's folder.
        half: The quantized network is the float network in float16.
        plain_threads: Number of threads whose metrics have no suffix; None: the first.

    Raises:
        ValueError: If the runtime is not installed.
    """
    names = (FLOAT, HALF, NETWORK)
    files = {name: deployed.files[name] for name in names if name in deployed.files}
    if "latency_ms" in deployed.not_measured:
        simulated = files.pop(NETWORK)
        if half:  # the time of casts is reported under a name of its own
            files[HALF] = simulated
    shape = tuple(example.shape[1:])
    deployed.metrics |= run_latency(settings, files, shape, folder, plain_threads)
    if HALF in files and f"{HALF}_speedup" not in deployed.metrics:
        deployed.not_measured[f"{HALF}_speedup"] = HALF_SIMULATED
    deployed.files["latency"] = folder / LATENCY_NAME
