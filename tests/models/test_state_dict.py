"""State dicts within checkpoints: found at any depth, and named as the network names them."""

import pytest
import torch

from qat.models.state_dict import as_the_network_names, differences, mappings_of_tensors, some

ONE, SCALAR = torch.zeros(1), torch.tensor(3)


def test_mappings_of_tensors_have_the_keys_that_lead_to_them():
    content = {
        "model": {"a": ONE},
        "epoch": SCALAR,  # no weights: a number may be a tensor too
        "counters": {"steps": SCALAR},
        "state": {"ema": {"a": ONE, 7: ONE}, "lr": 0.1},
    }
    assert dict(mappings_of_tensors(content)) == {"model": {"a": ONE}, "state.ema": {"a": ONE}}
    assert dict(mappings_of_tensors({"a": ONE, "b": 3})) == {"": {"a": ONE}}
    assert dict(mappings_of_tensors([ONE])) == {}


@pytest.mark.parametrize(
    ("names", "network", "expected", "prefix", "unused"),
    [
        (["module.a", "module.b"], ["a", "b"], ["a", "b"], "module.", ()),
        (["model.net.a"], ["a"], ["a"], "model.net.", ()),
        (["model.a", "b"], ["a", "b"], ["model.a", "b"], "", ()),
        (["model.a"], ["model.a"], ["model.a"], "", ()),
        (["x._orig_mod.a", "b"], ["x.a", "b"], ["x.a", "b"], "_orig_mod.", ()),
        (["a", "n_averaged", "a.total_ops"], ["a"], ["a"], "", ("n_averaged", "a.total_ops")),
        (["a", "bn.num_batches_tracked"], ["a"], ["a"], "", ("bn.num_batches_tracked",)),
    ],
)
def test_names_become_those_of_the_network(names, network, expected, prefix, unused):
    checkpoint = as_the_network_names("key", dict.fromkeys(names, ONE), network, ["epoch"])
    assert (list(checkpoint.state), checkpoint.prefix) == (expected, prefix)
    assert checkpoint.unused == (*unused, "epoch")


def test_differences_name_what_is_missing_unknown_or_of_another_shape():
    own = {"a": torch.zeros(2), "b": ONE, "bn.num_batches_tracked": SCALAR}
    assert differences(own, {"a": torch.ones(2), "b": ONE}) == ""
    state = {"a": torch.zeros(3), "c": ONE}
    expected = "missing: b; unknown: c; of another shape: a (3,) instead of (2,)"
    assert differences(own, state) == expected


def test_four_names_are_shown():
    assert some(["a", "b", "c", "d"]) == "a, b, c, d"
    assert some([*"abcdefg"]) == "a, b, c, d and 3 more"
