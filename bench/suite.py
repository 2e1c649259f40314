"""The benchmarks that ``make bench`` runs: words, shorter words for a trial, and their question."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One benchmark and how it is run.

    Args:
        module: ``bench.MODULE``.
        question: What its figures answer.
        words: Of its command line.
        quick: Words after those, for a run that shows that it works.
        takes: Options of the suite that are passed on: some of ``data`` and ``checkpoint``.
        shown: Patterns of the names of the figures that the page shows.
        device: Type of the device that it needs; without one, the suite leaves it out by name.
    """

    module: str
    question: str
    words: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ("*",)
    device: str = "cpu"


_STEP_SHOWN = ("ratio_*", "same_format_*", "*_step_ms", "first_step_s*")
_STEP_WORDS = ("--compile-model", "--kernels", "compiled", "eager")
_STEP_QUICK = ("--batch", "8", "--steps", "3", "--warmup", "1")
_EPOCH_CUDA = (
    *("--device", "cuda", "--data", "synthetic", "--images", "20000"),
    *("--compile-model", "--memory-format", "channels_last"),
)
_RUN = ("data", "checkpoint")
_METHODS = ("dorefa", "dsq", "ewgs", "lsq_plus", "pact", "sawb", "tqt")
"""Methods of uniform grids beside LSQ, which the other benchmarks of steps have."""
_STEPS_OF_METHODS = {
    f"step_{method}": Entry(
        "step",
        f"And one of ResNet-20 with {method}?",
        ("--method", method, "--kernels", "compiled", "--steps", "9"),
        _STEP_QUICK,
        shown=("ratio_*", "same_format_*"),
    )
    for method in _METHODS
}

ENTRIES = {
    "step": Entry(
        "step",
        "What does a training step of quantized ResNet-20 cost, compared with the float step?",
        _STEP_WORDS,
        _STEP_QUICK,
        shown=_STEP_SHOWN,
    ),
    "step_simple_cnn": Entry(
        "step",
        "And one of simple_cnn?",
        (*_STEP_WORDS, "--model", "simple_cnn"),
        _STEP_QUICK,
        shown=_STEP_SHOWN,
    ),
    "step_mobilenet_v2": Entry(
        "step",
        "And one of MobileNetV2 at 96 pixels?",
        ("--compile-model", "--model", "mobilenet_v2"),
        ("--batch", "2", "--steps", "3", "--warmup", "1"),
        shown=_STEP_SHOWN,
    ),
    **_STEPS_OF_METHODS,
    "epoch": Entry(
        "epoch",
        "How many images a second does training read, augment and train on?",
        ("--data", "synthetic", "--images", "10240"),
        ("--images", "256", "--batch", "32", "--epochs", "1"),
    ),
    "step_cuda": Entry(
        "step",
        "What does a training step of quantized ResNet-20 cost on a GPU?",
        ("--device", "cuda", "--steps", "30", "--compile-model", "channels_last"),
        shown=_STEP_SHOWN,
        device="cuda",
    ),
    "epoch_cuda": Entry(
        "epoch",
        "How many images a second does training read, augment and train on, on a GPU?",
        _EPOCH_CUDA,
        device="cuda",
    ),
    "data": Entry(
        "data",
        "How fast do batches come from memory, compared with transforms in worker processes?",
        (),
        ("--rounds", "3", "--images", "1280"),
    ),
    "history": Entry(
        "history",
        "How much training time do histories of layers cost?",
        (),
        ("--batch", "8", "--steps", "3", "--warmup", "1"),
    ),
    "start": Entry(
        "start",
        "What does a command take before it computes?",
        (),
        ("--rounds", "2", "--model", "simple_cnn", "--axes", "1"),
        _RUN,
    ),
    "against": Entry(
        "against",
        "What do whole commands take, compared with those of commit 901a4c5?",
        ("--jobs", "static", "demonstration", "--rounds", "4"),
        ("--jobs", "refused", "--rounds", "1"),
        _RUN,
    ),
    "against_sweep": Entry(
        "against",
        "And a sweep of 48 static points?",
        ("--jobs", "sweep", "--rounds", "2", "--warmup", "0"),
        ("--jobs", "refused", "--rounds", "1"),
        _RUN,
    ),
    "sweep": Entry(
        "sweep",
        "What does a sweep of 48 points save, compared with 48 calls?",
        (),
        ("--model", "simple_cnn", "--axes", "1", "--calls", "1"),
        _RUN,
    ),
    "sensitivity": Entry(
        "sensitivity",
        "What do sensitivities save that keep the results before the changed layer?",
        (),
        ("--images", "40", "--batch", "20", "--widths", "2", "8", "--rounds", "2"),
        ("checkpoint",),
    ),
    "calibration": Entry(
        "calibration",
        "What does comparing nine observers take, compared with a calibration with one?",
        (),
        ("--images", "40", "--batch", "20", "--rounds", "2"),
        ("checkpoint",),
    ),
    "footprint": Entry(
        "footprint",
        "How much memory does a static run of images of 224 pixels take, stage by stage?",
        (),
        ("--networks", "mobilenet_v2", "--side", "64", "--images", "16"),
        shown=("*peak_bytes",),
    ),
    "latency_resnet20": Entry(
        "latency",
        "How much faster are the integers of ResNet-20 in a runtime?",
        ("--model", "resnet20", "--batch", "1", "64", "--runtime", "onnxruntime", "openvino"),
        ("--repeats", "30", "--blocks", "2", "--runtime", "onnxruntime"),
    ),
    "latency_resnet18": Entry(
        "latency",
        "And those of ResNet-18 at 224 pixels?",
        ("--model", "resnet18", "--batch", "1", "--runtime", "onnxruntime", "openvino"),
        ("--repeats", "30", "--blocks", "2", "--runtime", "onnxruntime"),
    ),
    "export": Entry(
        "export",
        "How long does it take to write integer ONNX files, and how large are they?",
        (),
        ("--size", "64", "--bits", "8", "--repeats", "2"),
    ),
    "table": Entry(
        "table",
        "How long does a table over 5,000 records take?",
        (),
        ("--records", "50", "--repeats", "1"),
    ),
}
"""By the name of the file with the report, in the order in which they run."""
