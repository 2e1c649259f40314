"""Prepared runs of a small network on a few images of 8 x 8, made by hand without Hydra."""

from pathlib import Path

import pytest

from qat.config.schema import (
    AllocateConfig,
    CalibrateConfig,
    DataConfig,
    EvaluateConfig,
    FloatConfig,
    MeasureConfig,
    MixedConfig,
    ModelConfig,
    OptimizerConfig,
    PathsConfig,
    RunConfig,
    ScheduleConfig,
    SchemeConfig,
    SensitivityConfig,
    SlotConfig,
    TrackingConfig,
    TrainerConfig,
)
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.float_network import FloatNetwork
from qat.run.outputs import logits_of_test_set
from qat.run.prepare import prepare
from qat.run.state import RunState

TRAIN, VAL, TEST, CLASSES = 15, 3, 12, 3


@pytest.fixture
def make_config(tmp_path):
    """Make a configuration: 15 images of train, 3 of val, 12 of test, 3 classes; W4A4."""

    def make(mode: str = "static", **changes) -> RunConfig:
        config = _config(mode, tmp_path)
        for key, value in changes.items():  # trainer__devices=2 is trainer.devices=2
            *groups, name = key.split("__")
            node = config
            for group in groups:
                node = getattr(node, group)
            assert hasattr(node, name), key
            setattr(node, name, value)
        return config

    return make


@pytest.fixture
def make_prepared(make_config):
    """Prepare a run of such a configuration, without a rehearsal."""

    def make(mode: str = "static", **changes):
        return prepare(make_config(mode, **changes), (), rehearsed=False)

    return make


@pytest.fixture
def make_source():
    """Build the float network of a prepared run, without training it."""

    def make(prepared) -> FloatNetwork:
        return FloatNetwork(prepared.network.build().eval(), "digest of the weights")

    return make


@pytest.fixture
def make_state(make_prepared, make_source):
    """The state of a run whose float network is evaluated."""

    def make(mode: str = "static", **changes) -> RunState:
        prepared = make_prepared(mode, **changes)
        folder = RunFolder(prepared.folder).create()
        record = RunRecord(prepared.id, "running", prepared.mode.name, prepared.seed)
        state = RunState(prepared, folder, record, verbose=False)
        state.source = make_source(prepared)
        state.float_logits = logits_of_test_set(prepared, state.net, "float evaluation")
        return state

    return make


@pytest.fixture
def make_quantized_state(make_state):
    """The state of a run whose quantized network is calibrated and evaluated."""

    def make(mode: str = "static", **changes) -> RunState:
        state = make_state(mode, **changes)
        prepared, example = state.prepared, state.prepared.images.example()
        state.plan = make_plan(state.net, prepared.scheme, example)
        state.qnet = quantize(state.net, state.plan, keep_norms=prepared.mode.trains)
        calibrate(state.qnet, [example])
        state.qnet.eval()
        state.logits = logits_of_test_set(prepared, state.qnet, "evaluation")
        return state

    return make


def _config(mode: str, home: Path) -> RunConfig:
    def slot() -> SlotConfig:
        return SlotConfig(4, quantizer="minmax", observer="default")

    def sgd() -> OptimizerConfig:
        return OptimizerConfig("sgd", lr=0.01, momentum=0.9)

    return RunConfig(
        model=ModelConfig("user", "user", target="tests.run.networks:Small"),
        data=DataConfig(
            "synthetic",
            train_images=TRAIN + VAL,
            test_images=TEST,
            val_fraction=VAL / (TRAIN + VAL),
            options={"image_size": 8, "classes": CLASSES},
        ),
        mode=mode,
        scheme=SchemeConfig("w4a4", slot(), slot()),
        optimizer=sgd(),
        schedule=ScheduleConfig("cosine"),
        trainer=TrainerConfig(max_epochs=2, batch_size=8, accelerator="cpu"),
        calibrate=CalibrateConfig(images=8, batch_size=4),
        evaluate=EvaluateConfig(batch_size=5),
        sensitivity=SensitivityConfig("weight_mse", widths=[2, 4, 8], slots=["weight"], images=8),
        allocate=AllocateConfig("ilp"),
        mixed=MixedConfig("static"),
        measure=MeasureConfig(repeats=1, warmup=0),
        tracking=TrackingConfig(tensorboard=False, figures=False, histograms=False),
        paths=PathsConfig(*(str(home / name) for name in ("data", "runs", "cache"))),
        float=FloatConfig(1, accelerator="cpu", optimizer=sgd(), schedule=ScheduleConfig("cosine")),
    )
