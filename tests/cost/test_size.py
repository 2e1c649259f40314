"""Bytes of float networks are those of a file."""

import torch
from safetensors.torch import save_file
from torch import nn

from qat.cost.size import float_file_bytes


def test_float_bytes_count_a_shared_layer_once_and_take_any_memory_order():
    layer = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    once, twice = (float_file_bytes(nn.Sequential(*n)) for n in ([layer], [layer, layer]))
    assert once == twice


def test_float_bytes_are_of_a_file_that_was_written(tiny_model, tmp_path):
    save_file(tiny_model.state_dict(), tmp_path / "it")
    assert float_file_bytes(tiny_model) == (tmp_path / "it").stat().st_size
