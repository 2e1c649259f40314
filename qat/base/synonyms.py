"""Synonyms of values and commands, and the allowed word that the user probably means.

Every command imports this module, so it imports nothing slow.
"""

import difflib
from collections.abc import Iterable, Sequence

# Synonym → values; a value is suggested only where it is allowed.
VALUE_SYNONYMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ptq", "post_training", "calibrated", "calibrate"), ("static",)),
    **dict.fromkeys(("train", "trained", "training", "finetune", "quantization_aware"), ("qat",)),
    **dict.fromkeys(
        ("fp32", "float32", "full", "full_precision", "none", "off"), ("float", "none", "constant")
    ),
    **dict.fromkeys(("mp", "mixed_precision", "hawq", "haq"), ("mixed", "ilp")),
    **dict.fromkeys(("int8", "8bit", "w8", "8"), ("w8a8",)),
    **dict.fromkeys(("int4", "4bit", "4"), ("w4a4",)),
    **dict.fromkeys(("int2", "2bit", "2"), ("w2a2",)),
    **dict.fromkeys(("half", "float16"), ("fp16",)),
    **dict.fromkeys(("asym", "asymmetric", "affine"), ("w8a8_asym",)),
    **dict.fromkeys(("pow2", "power_of_2"), ("power_of_two", "w8a8_pow2")),
    **dict.fromkeys(("max", "absmax", "min_max", "naive"), ("minmax",)),
    **dict.fromkeys(("moving_average", "movingaverage", "ma"), ("ema",)),
    **dict.fromkeys(("kl", "entropy", "histogram", "hist"), ("mse", "output_kl")),
    **dict.fromkeys(("lsq+", "lsqplus"), ("lsq_plus",)),
    **dict.fromkeys(("learned", "learnable"), ("lsq", "learned")),
    **dict.fromkeys(("per_channel", "channelwise"), ("channel",)),
    **dict.fromkeys(("per_tensor", "tensorwise"), ("tensor",)),
    **dict.fromkeys(("cuda", "gpu"), ("gpu",)),
    **dict.fromkeys(("cos", "cosine_annealing", "cosineannealing"), ("cosine",)),
    **dict.fromkeys(("fixed", "flat"), ("constant",)),
    **dict.fromkeys(("momentum",), ("sgd",)),
    **dict.fromkeys(("int", "int_only", "hardware", "deploy"), ("integer",)),
    **dict.fromkeys(("simulated", "paper"), ("academic",)),
    **dict.fromkeys(("tb", "tensor_board"), ("tensorboard",)),
    **dict.fromkeys(("wb", "weights_and_biases"), ("wandb",)),
    **dict.fromkeys(("mnist", "fashion", "fmnist"), ("fashion_mnist",)),
    **dict.fromkeys(("cifar", "cifar-10", "cifar_10", "cifar100"), ("cifar10",)),
    **dict.fromkeys(("imagefolder", "imagenet", "images"), ("folder",)),
    **dict.fromkeys(("fake", "random", "dummy"), ("synthetic",)),
    **dict.fromkeys(("cnn", "small", "tiny"), ("simple_cnn",)),
    **dict.fromkeys(("quick", "fast", "debug", "test"), ("smoke",)),
    **dict.fromkeys(("ort", "onnx"), ("onnxruntime",)),
    **dict.fromkeys(("joblib", "multiprocessing", "processes"), ("parallel",)),
    **dict.fromkeys(("sbatch", "submitit"), ("slurm",)),
    **dict.fromkeys(("optuna", "tpe", "nsga2"), ("pareto",)),
    **dict.fromkeys(("genetic", "evolution", "evolutionary"), ("evolve",)),
    **dict.fromkeys(("tex",), ("latex",)),
    **dict.fromkeys(("md", "text", "txt"), ("markdown",)),
    **dict.fromkeys(("htm", "web"), ("html",)),
    **dict.fromkeys(("excel", "xlsx", "tsv", "json"), ("csv",)),
    **dict.fromkeys(("true", "yes", "on"), ("true",)),
}

COMMAND_SYNONYMS: dict[str, str] = {
    **dict.fromkeys(("train", "quantize", "calibrate", "fit", "start", "ptq", "qat"), "run"),
    **dict.fromkeys(("sweep", "multirun", "grid"), "run -m"),
    **dict.fromkeys(("rerun", "repeat", "resume"), "run --from RUN_DIR"),
    **dict.fromkeys(("eval", "test", "validate"), "evaluate RUN_DIR"),
    **dict.fromkeys(("ls", "models", "studies", "schemes"), "list"),
    **dict.fromkeys(("info", "status", "cat", "view"), "show RUN_DIR"),
    **dict.fromkeys(("diff", "versus"), "compare A B"),
    **dict.fromkeys(("bench", "benchmark", "latency", "time"), "measure RUN_DIR"),
    **dict.fromkeys(("check", "env", "versions"), "doctor"),
    **dict.fromkeys(("rm", "delete", "prune"), "clean"),
    **dict.fromkeys(("results", "report", "plot", "summary", "summarize"), "table"),
    **dict.fromkeys(("new", "create", "project", "template", "scaffold"), "init DIR"),
    **dict.fromkeys(("onnx", "save", "convert"), "export RUN_DIR --to onnx"),
    "help": "--help",
    "version": "--version",
}


def close(word: str, allowed: Iterable[str], likeness: float = 0.55) -> str | None:
    """The allowed word that the user probably means; None if none is close.

    Tried in this order: equal except for case and hyphens, a synonym, the same letters in another
    order, a longer word that begins so, the most similar word.

    Args:
        word: What the user wrote.
        allowed: The allowed words.
        likeness: Least similarity of the most similar word, 0 to 1, as ``difflib`` measures it.

    Example:
        >>> close("PTQ", ["float", "static", "qat"]), close("minimax", ["ema", "minmax"])
        ('static', 'minmax')
    """
    words = list(allowed)
    lower = word.lower().replace("-", "_")
    exact = [other for other in words if other.lower().replace("-", "_") == lower]
    synonyms = [other for other in VALUE_SYNONYMS.get(lower, ()) if other in words]
    swapped = [other for other in words if sorted(other) == sorted(word)]
    begun = [other for other in words if len(lower) > 2 and other.lower().startswith(lower)]
    near = difflib.get_close_matches(lower, words, n=1, cutoff=likeness)
    return next(iter([*exact, *synonyms, *swapped, *begun, *near]), None)


def command_guess(word: str, commands: Sequence[str]) -> str | None:
    """The command that the user probably means, with its arguments; None if none is close.

    Args:
        word: What the user wrote.
        commands: Names of the commands.

    Example:
        >>> command_guess("eval", ["run", "evaluate"])
        'evaluate RUN_DIR'
    """
    return COMMAND_SYNONYMS.get(word.lower()) or close(word, commands)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'?`` if an allowed word is close, else the empty string.

    Args:
        word: What the user wrote.
        allowed: The allowed words.
    """
    guess = close(word, allowed)
    return f"; did you mean {guess!r}?" if guess else ""
