"""What a spec refuses."""

import pytest

from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec, check_course


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        (OptimizerSpec, {"name": "rmsprop"}, "sgd, adam, adamw, got 'rmsprop'"),
        (OptimizerSpec, {"lr": 0.0}, "lr must be above 0"),
        (OptimizerSpec, {"lr": float("nan")}, "lr must be above 0"),
        (OptimizerSpec, {"step_lr": -1.0}, "step_lr must be 0 or more"),
        (OptimizerSpec, {"weight_decay": -1e-4}, "weight_decay must be 0 or more"),
        (OptimizerSpec, {"momentum": 1.0}, "momentum must be"),
        (OptimizerSpec, {"nesterov": True}, "needs optimizer.momentum"),
        (
            OptimizerSpec,
            {"name": "adam", "momentum": 0.9},
            "momentum=0.9 belongs to sgd",
        ),
        (OptimizerSpec, {"name": "adam", "betas": (0.9,)}, "two numbers"),
        (ScheduleSpec, {"name": "poly"}, "constant, step, multistep, cosine"),
        (ScheduleSpec, {"name": "multistep"}, "needs schedule.milestones"),
        (ScheduleSpec, {"name": "multistep", "milestones": (9, 3)}, "rising"),
        (ScheduleSpec, {"warmup_epochs": -1}, "0 or more"),
        (ScheduleSpec, {"gamma": 0.0}, "gamma"),
        (FitSpec, {"max_epochs": 0}, "max_epochs must be 1 or more"),
        (FitSpec, {"precision": "int8"}, "32-true, bf16-mixed, 16-mixed"),
        (FitSpec, {"compile": "yes"}, "none, model"),
        (FitSpec, {"keep": "first"}, "best, last"),
        (FitSpec, {"gradient_clip_val": 0.0}, "above 0, or null"),
        (FitSpec, {"freeze_batch_norm_at": -1}, "0 or more"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(spec, values, message):
    with pytest.raises(ValueError, match=message):
        spec(**values)


def test_lists_as_yaml_gives_them_become_tuples():
    assert OptimizerSpec(name="adam", betas=[0.8, 0.9]).betas == (0.8, 0.9)
    assert ScheduleSpec(name="multistep", milestones=[1, 2]).milestones == (1, 2)


@pytest.mark.parametrize(
    ("schedule", "fit", "message"),
    [
        (ScheduleSpec("cosine", min_lr=0.2), FitSpec(max_epochs=3), "set schedule.min_lr=0.01"),
        (
            ScheduleSpec(warmup_epochs=3),
            FitSpec(max_epochs=3),
            "below trainer.max_epochs=3",
        ),
        (ScheduleSpec("multistep", milestones=(2, 4)), FitSpec(max_epochs=4), r"milestones=\[2\]"),
        (ScheduleSpec("step", step_size=4), FitSpec(max_epochs=4), "set schedule.step_size=2"),
        (ScheduleSpec(), FitSpec(max_epochs=2, freeze_observers_at=2), "an epoch up to 1"),
    ],
)
def test_a_course_that_does_not_fit_is_refused_with_one_that_does(schedule, fit, message):
    with pytest.raises(ValueError, match=message):
        check_course(schedule, 0.1, fit)


def test_a_dry_run_is_as_long_as_any():
    check_course(ScheduleSpec("step", step_size=30), 0.1, FitSpec(max_epochs=1, fast_dev_run=True))
