"""Quantization-aware training, in the modes that train."""

from qat.convert.calibrate import saturated_biases, set_phase
from qat.convert.integer import fold_norms
from qat.layers.walk import twins
from qat.records.file_names import CHECKPOINTS
from qat.records.side_files.history import HistoryFile
from qat.run.outputs import logits_of_test_set
from qat.run.results import accuracies
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def fit_stage(state: RunState) -> StageResult:
    """Train the calibrated network; first measure its accuracy after calibration alone."""
    result = StageResult()
    if state.prepared.mode.trains:
        result = _train(state)
    result.warnings += [
        f"{name}: {count} biases do not fit 32 bits and are clamped"
        for name, count in saturated_biases(state.quantized).items()
    ]
    return result


def _train(state: RunState) -> StageResult:
    from qat.run.progressive import train_wider_first  # imports lightning
    from qat.run.training import fit_quantized

    prepared, qnet = state.prepared, state.quantized
    with state.stage("calibrated_evaluation"):
        logits = logits_of_test_set(prepared, qnet, "evaluation after calibration")
        top1 = accuracies(logits, prepared.images.labels)["top1"]
    with state.stage("training"):
        warnings = train_wider_first(state)
        warnings += fit_quantized(prepared, qnet, state.net, state.folder.path / CHECKPOINTS)
    set_phase(qnet, "quantize")
    fold_norms(qnet)
    state.qnet = qnet.to(prepared.device).eval()
    return StageResult({"calibrated_top1": top1} | _flips(state), warnings=warnings)


def _flips(state: RunState) -> dict[str, float]:
    """Share of all weights whose code changed, mean of the last epoch's steps, if recorded."""
    training, path = state.prepared.training, state.folder.path / HistoryFile.NAME
    assert training is not None
    if not path.exists():
        return {}
    batches = len(training.batches(state.prepared.data))
    steps = -(-batches // training.fit.accumulate_grad_batches)
    history = HistoryFile.from_csv(path.read_bytes(), path)
    sizes = {name: twin.weight.numel() for name, twin in twins(state.quantized)}
    flips = history.mean_of_last("flips", steps, sizes)
    return {} if flips is None else {"weight_flips": flips}
