"""What the allocator gave out, on tensors counted by hand."""

import torch

from qat.memory.allocator_peak import allocated_peak_bytes


def test_the_peak_counts_what_is_alive_at_once():
    def run():
        first, second = torch.empty(1000), torch.empty(500)
        del first
        third = torch.empty(200)
        del second, third

    assert allocated_peak_bytes(run) == 1500 * 4


def test_what_was_there_before_does_not_count():
    there = torch.zeros(1000)
    assert allocated_peak_bytes(lambda: there.add_(1)) < 100
