"""Every study composes and builds: its ends quickly, all points in the slow tests."""

import pytest
from omegaconf import OmegaConf

from qat.config.bases import Bases
from qat.config.checks.combinations import check_config
from qat.config.compose import Point, compose_points, composer, typed
from qat.config.register import register_schema
from qat.config.schema import StudyConfig
from qat.config.study_file import study_names
from qat.config.study_grids import study_points
from qat.config.yaml_files import config_dir
from qat.run.prepare import prepare
from qat.tables.layout import table_spec

SMOKE = ["data=synthetic", "tracking=none", "seed=0"]
# ResNet-20 has no depthwise layers.
OWN_NETWORKS = dict.fromkeys(("oscillation", "precision_kinds"), "mobilenet_v3_small")


def words_of_points(name, scale, words):
    """The overrides of each point, without composing it."""
    section = OmegaConf.load(config_dir() / "experiment" / f"{name}.yaml").study
    study = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(StudyConfig), section))
    return study_points(study, scale, f"experiment={name}", [f"scale={scale}", *words])


def composed(words):
    """A point of a study, which :func:`compose_points` composes only with all others."""
    register_schema()
    with composer(None):
        return Point(tuple(words), typed(Bases(None).compose(words)))


def kind_of(config):
    """All of a point but its widths, and how widths are chosen."""
    scheme = config.scheme
    slots = [
        (s.quantizer, s.granularity, s.symmetric, s.format) for s in (scheme.weight, scheme.act)
    ]
    rules = [(rule.match, rule.keep_float) for rule in scheme.rules]
    return str((config.mode, slots, rules, scheme.placement, config.ptq, config.export))


@pytest.mark.parametrize("name", study_names())
def test_the_first_and_the_last_point_build(home, name):
    points = words_of_points(name, "smoke", SMOKE)
    for point in map(composed, (points[0], points[-1])):
        check_config(point.config)
        prepare(point.config, point.overrides)  # converts the network, and runs it


@pytest.mark.parametrize("name", study_names())
def test_the_scale_of_papers_composes(home, name):
    config = composed(words_of_points(name, "paper", ["seed=0"])[0]).config
    assert config.model.name == OWN_NETWORKS.get(name, "resnet20")
    assert table_spec(config.study.table)
    check_config(config)


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["smoke", "paper"])
@pytest.mark.parametrize("name", study_names())
def test_every_point_is_accepted(home, name, scale):
    register_schema()
    smoke = SMOKE if scale == "smoke" else ["seed=0"]
    words = [f"experiment={name}", f"scale={scale}", *smoke]
    points = compose_points(words, multirun=True)
    assert {point.config.study.name for point in points} == {name}
    if scale == "paper":
        networks = {point.config.model.name for point in points}
        assert networks == {OWN_NETWORKS.get(name, "resnet20")}
    for point in points:
        check_config(point.config)
    if scale == "smoke":
        for point in {kind_of(point.config): point for point in points}.values():
            prepare(point.config, point.overrides)


# Method at W2A2 → epochs, learning rate, weight decay, batch size, policy of the ends.
RECIPES = {
    "dorefa": (200, 0.1, 2e-4, 128, "float"),
    "pact": (200, 0.1, 2e-4, 128, "float"),
    "lsq": (90, 0.2, 1e-4, 512, "8"),
    "apot": (300, 0.04, 3e-5, 128, "8"),
    "ewgs": (400, 1e-3, 1e-4, 256, "8"),
}


@pytest.mark.slow
def test_the_recipes_of_papers_build(home):
    words = ["experiment=methods", "scale=paper", "seed=0", "data=synthetic", "float=smoke"]
    words += ["scheme=w2a2", "+data.options.image_size=32"]
    points = {
        (point.config.scheme.weight.quantizer, point.config.scheme.act.quantizer): point
        for point in compose_points(words, multirun=True)
    }
    for method, recipe in RECIPES.items():
        point = points["dorefa" if method == "pact" else method, method]
        config = point.config
        training = (config.trainer.max_epochs, config.optimizer.lr, config.optimizer.weight_decay)
        assert (*training, config.trainer.batch_size, config.scheme.first_last) == recipe
        assert config.aids.progressive_bits == ([4, 3] if method == "apot" else [])
        prepare(config, point.overrides)  # converts the network, runs it forward and backward
