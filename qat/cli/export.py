"""``qat export`` writes the network of a finished run in another format."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.printing import print_line
from qat.export.encodings import save_encodings
from qat.export.onnx.file import save_onnx
from qat.export.onnx.floating import float_onnx, half_onnx
from qat.export.onnx.network import export_onnx
from qat.export.packed.network import save_packed
from qat.export.runtimes.openvino import save_openvino
from qat.records.file_names import PACKED_NAME
from qat.records.folder import RunFolder
from qat.report.console import draw_progress
from qat.run.deploy.deployment import FLOAT_NAME, HALF_NAME, NETWORK_NAME
from qat.run.float_network import float_network
from qat.run.load import LoadedRun, load_run
from qat.run.progress import stage


def export_command(
    folder: Path,
    to: str,
    out: Path | None = None,
    model_target: str | None = None,
    data_target: str | None = None,
) -> int:
    """Write a run's network and print the file and its size.

    Args:
        folder: Folder of the run.
        to: A key of :data:`FORMATS`.
        out: The file to write; None: the usual name in the run's folder.
        model_target: ``package.module:factory``, for a run of ``model=user``.
        data_target: ``package.module:function``, for a run of ``data=user``.

    Returns:
        The exit code.

    Raises:
        RequestError: If the folder has no run, or the run has no such network.
        ValueError: If the format cannot represent the network.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    name, write = FORMATS[to]
    path = out if out is not None else folder / name
    draw_progress()
    with stage("loading", verbose=False):
        run = load_run(folder, model_target, data_target)
    run.complain_of_unverified()
    with stage("export"):
        size = write(run, path)
    print_line(f"{path}  {size} bytes")
    return DONE


def _quantized(run: LoadedRun, to: str) -> nn.Module:
    if run.qnet is None:
        raise RequestError(
            f"run {run.record.id} is a float run: --to {to} writes quantized networks"
        )
    return run.qnet


def _onnx(run: LoadedRun, path: Path) -> int:
    net = run.qnet if run.qnet is not None else float_of(run)
    return export_onnx(net, path, run.prepared.images.example()).file.stat().st_size


def _float_onnx(run: LoadedRun, path: Path) -> int:
    return save_onnx(float_onnx(float_of(run), run.prepared.images.example()), path)


def _half_onnx(run: LoadedRun, path: Path) -> int:
    return save_onnx(half_onnx(float_onnx(float_of(run), run.prepared.images.example())), path)


def _packed(run: LoadedRun, path: Path) -> int:
    return save_packed(_quantized(run, "packed"), path)


def _encodings(run: LoadedRun, path: Path) -> int:
    return save_encodings(_quantized(run, "encodings"), path)


def _openvino(run: LoadedRun, path: Path) -> int:
    with TemporaryDirectory() as folder:
        onnx = Path(folder) / NETWORK_NAME
        _onnx(run, onnx)
        return save_openvino(onnx, path)


def float_of(run: LoadedRun) -> nn.Module:
    """The float network of a run: from the cache, or trained again if the cache lacks it.

    Raises:
        RequestError: If the run started from another float network.
    """
    source = float_network(run.prepared)
    recorded = run.record.protocol.get("float", {}).get("checkpoint_digest")
    if recorded is not None and source.digest != recorded:
        raise RequestError(
            f"run {run.record.id} started from another float network ({str(recorded)[:12]}) than "
            f"the cache contains now ({source.digest[:12]}): run it again with force=true"
        )
    return source.net.eval()


FORMATS: Mapping[str, tuple[str, Callable[[LoadedRun, Path], int]]] = {
    "onnx": (NETWORK_NAME, _onnx),
    "onnx-float": (FLOAT_NAME, _float_onnx),
    "onnx-half": (HALF_NAME, _half_onnx),
    "packed": (PACKED_NAME, _packed),
    "openvino": ("network.xml", _openvino),
    "encodings": ("network.encodings", _encodings),
}
"""Format → file name in the run's folder, and its writer, which returns the size in bytes."""
