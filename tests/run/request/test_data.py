"""The data set of a configuration."""

import pytest
import torch

from qat.models.checkpoint import save_checkpoint
from qat.run.request.data import load_run_data
from tests.run.networks import Small


def test_data_have_the_configured_parts(make_config):
    data = load_run_data(make_config())
    assert [len(part) for part in data.parts.values()] == [15, 3, 12]
    assert (data.classes, data.test.image_shape) == (3, (3, 8, 8))


def test_equal_settings_share_the_images(make_config):
    config = make_config()
    assert load_run_data(config) is load_run_data(make_config(seed=5, data__augment__pad=1))
    assert load_run_data(make_config(data__split_seed=1)) is not load_run_data(config)


def test_the_normalisation_is_that_of_the_checkpoint(make_config, tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(Small(3, 3, 8), path, ((0.25, 0.5, 0.75), (0.5, 1.0, 2.0)))
    data = load_run_data(make_config(model__checkpoint=str(path)))
    assert (data.mean, data.std) == ((0.25, 0.5, 0.75), (0.5, 1.0, 2.0))
    images, _ = data.test.take(torch.tensor([0]))
    assert data.preprocess(images)[0, 2, 0, 0] == (images[0, 2, 0, 0] / 255 - 0.75) / 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data__options": {"imagesize": 8}}, "a key of data.options must be one of"),
        ({"data__classes": 4}, "data.classes=4 and data.options.classes=3: give one"),
    ],
)
def test_wrong_options_are_refused(make_config, changes, message):
    with pytest.raises(ValueError, match=message):
        load_run_data(make_config(**changes))
