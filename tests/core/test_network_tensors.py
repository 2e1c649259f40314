import torch
from torch import nn

from qat.core.network_tensors import cpu_copy, own_state


def test_a_shared_layer_has_one_name_and_buffers_that_are_not_saved_none():
    layer = nn.BatchNorm1d(3)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    net.register_buffer("scratch", torch.zeros(1), persistent=False)
    names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(own_state(net)) == [f"0.{name}" for name in names]


def test_without_sharing_it_is_the_state_dict(tiny_model):
    assert own_state(tiny_model).keys() == tiny_model.state_dict().keys()


def test_a_copy_shares_large_tensors_and_owns_the_rest(tiny_model):
    copied = cpu_copy(tiny_model.eval())
    copied.train()
    assert not tiny_model.training
    mine, others = dict(copied.named_parameters()), dict(tiny_model.named_parameters())
    shared = {name for name in mine if mine[name] is others[name]}
    assert shared == {name for name in others if name.endswith("weight")} != set()
    assert not {id(b) for b in copied.buffers()} & {id(b) for b in tiny_model.buffers()}
