"""Every listed choice is a value that the checks accept, and every other one is refused."""

import pytest

from qat.config.checks.combinations import check_config
from qat.config.choices import CHOICES, choices
from qat.config.keys import choosable, is_key, key_types
from qat.data.names import TORCHVISION_DATA
from qat.models.names import torchvision_names

CHECKED = (
    "mode",
    "kernel",
    "trainer.accelerator",
    "float.precision",
    "scheme.first_last",
    "mixed.then",
)


@pytest.mark.parametrize("key", CHECKED)
def test_a_value_is_accepted_exactly_if_it_is_listed(config, key):
    needed = {"mode": "mixed"} if key == "mixed.then" else {}
    for value in choices(key):
        check_config(config(needed | {key: value}))
    with pytest.raises(ValueError, match=key) as refused:
        check_config(config(needed | {key: "nonsense"}))
    assert f"must be one of {', '.join(choices(key))}, got" in str(refused.value)


def test_what_is_listed_are_keys():
    assert all(is_key(key) for key in CHOICES)
    assert {key for key in CHOICES if key not in key_types()} == set()


def test_choices_of_groups_truth_values_and_networks(tmp_path):
    (tmp_path / "scheme").mkdir()
    (tmp_path / "scheme" / "mine.yaml").touch()
    assert {"mine", "w4a4"} <= set(choices("scheme", tmp_path))
    assert "mine" not in choices("scheme")
    assert choices("quantizer@scheme.act") == choices("quantizer@scheme.weight")
    assert choices("force") == choices("scheme.act.signed") == ["true", "false"]
    assert "resnet18" in choices("model")
    assert choices("model.name") == list(torchvision_names())
    assert choices("data.name") == list(TORCHVISION_DATA)
    assert choices("seed") == choices("no.key") == []
    assert all(choices(group) for group in choosable() if "/" not in group)
