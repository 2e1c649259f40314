"""What a run hands to a training, and what it makes of its end; nothing is trained here."""

from pathlib import Path

import pytest

from qat.core.kernels import current_kernel, set_kernel
from qat.run import kernel as kernels
from qat.run import training
from qat.run.training import fit_float, fit_quantized
from qat.training.errors import TrainingError


@pytest.fixture
def fits(monkeypatch):
    """Keep the arguments of each fit; a kernel is noted with it."""
    calls = []

    def fit(module, batches, validation, spec, folder, **settings):
        calls.append((module, batches, validation, spec, folder, settings, current_kernel()))

    monkeypatch.setattr(training, "fit", fit)
    return calls


def test_the_float_network_is_trained_as_requested(make_prepared, fits, tmp_path):
    prepared = make_prepared(float__seed=4)
    net = prepared.network.build()
    fit_float(prepared.float_training, prepared.data, net, tmp_path)
    [(module, batches, validation, spec, folder, settings, kernel)] = fits
    assert module.net is net
    assert (spec.max_epochs, folder, settings["seed"], kernel) == (1, tmp_path, 4, "eager")
    assert batches(2).epoch == 2
    assert len(batches(0).image_set) == 15
    assert len(validation.image_set) == 3
    assert settings["loggers"] == ()


def test_a_float_training_that_fails_names_its_keys(make_prepared, monkeypatch, tmp_path):
    def fit(*_, **__):
        raise TrainingError("the loss is NaN; lower the rate")

    monkeypatch.setattr(training, "fit", fit)
    prepared = make_prepared()
    with pytest.raises(TrainingError, match=r"float network \(keys under float\.\): the loss"):
        fit_float(prepared.float_training, prepared.data, prepared.network.build(), tmp_path)


def test_a_quantized_training_leaves_the_kernel_eager(
    make_quantized_state, fits, tmp_path, monkeypatch
):
    monkeypatch.setattr(kernels, "choose_kernel", lambda *_: "compiled")
    state = make_quantized_state("qat", tracking__history_every=7, tracking__tensorboard=True)
    try:
        assert fit_quantized(state.prepared, state.qnet, state.net, tmp_path) == []
        assert current_kernel() == "eager"
    finally:
        set_kernel("eager")
    [(_, _, _, spec, _, settings, kernel)] = fits
    assert (spec.max_epochs, kernel) == (2, "compiled")
    names = {type(callback).__name__ for callback in settings["callbacks"]}
    assert {"QuantizerHistory", "WatchSigns", "TrainingProgress", "BestAndLast"} == names
    [logger] = settings["loggers"]
    assert Path(logger.log_dir) == state.prepared.folder / "tb"
