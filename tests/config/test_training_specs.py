"""Specifications of trainings, key by key, and messages in the keys of the user."""

import pytest

from qat.base.errors import InputError
from qat.config.schema import OptimizerConfig, ScheduleConfig
from qat.config.training_specs import (
    check_training,
    float_fit_spec,
    freeze_batch_norm_at,
    optimizer_spec,
    quantized_fit_spec,
    renamed,
    schedule_spec,
    trains_float,
    with_keys,
)


def test_every_key_arrives():
    optimizer = OptimizerConfig("adam", 0.01, weight_decay=0.1, betas=[0.8, 0.9], step_lr=0.001)
    spec = optimizer_spec(optimizer)
    assert (spec.name, spec.lr, spec.weight_decay, spec.betas, spec.step_lr) == (
        *("adam", 0.01, 0.1, (0.8, 0.9), 0.001),
    )
    schedule = schedule_spec(ScheduleConfig("multistep", 1.0, gamma=0.5, milestones=[3, 5]))
    assert (schedule.name, schedule.warmup_epochs, schedule.gamma, schedule.milestones) == (
        *("multistep", 1.0, 0.5, (3, 5)),
    )


def test_the_two_trainings_have_keys_of_their_own(config):
    run = config({"float.epochs": 7, "trainer.max_epochs": 4, "trainer.freeze_observers_at": 2})
    assert float_fit_spec(run).max_epochs == 7
    assert float_fit_spec(run).freeze_observers_at is None
    assert quantized_fit_spec(run).max_epochs == 4
    assert quantized_fit_spec(run).freeze_observers_at == 2


def test_batch_norms_of_an_integer_network_are_fixed_at_half_time(config):
    assert freeze_batch_norm_at(config({"trainer.max_epochs": 9})) is None
    integer = {"trainer.max_epochs": 9, "scheme.placement": "integer"}
    assert freeze_batch_norm_at(config(integer)) == 4
    assert freeze_batch_norm_at(config(integer | {"trainer.freeze_batch_norm_at": 0})) == 0


def test_only_trainings_that_run_are_checked_and_by_their_own_keys(config):
    wrong = {"schedule.warmup_epochs": 50.0, "trainer.max_epochs": 3}
    check_training(config(wrong | {"mode": "static"}))
    with pytest.raises(ValueError, match=r"^schedule.warmup_epochs=50.* trainer.max_epochs=3"):
        check_training(config(wrong | {"mode": "qat"}))
    wrong = {"float.schedule.warmup_epochs": 50.0, "float.epochs": 3}
    with pytest.raises(ValueError, match=r"^float.schedule.warmup_epochs=50.* float.epochs=3"):
        check_training(config(wrong))
    loaded = config(wrong | {"model.checkpoint": "it.pt"})
    assert not trains_float(loaded)
    check_training(loaded)


def test_keys_in_messages_are_replaced_once():
    keys = {"trainer.max_epochs": "float.epochs", "trainer.": "float.", "lr": "x.lr"}
    text = "trainer.max_epochs and trainer.keep, not my.trainer.keep; lr"
    assert with_keys(text, keys) == "float.epochs and float.keep, not my.trainer.keep; x.lr"
    with pytest.raises(InputError, match=r"^float\.keep is wrong"), renamed(keys):
        raise InputError("trainer.keep is wrong")
