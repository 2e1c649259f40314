"""Random numbers that depend on the batch alone, and a process left as it was."""

import hashlib
from itertools import product

import torch
from torch.utils import deterministic

from qat.training.repeatable import batch_seed, repeatable


def test_a_seed_is_the_hash_of_its_words():
    digest = hashlib.blake2b(b"drop/5/1/2", digest_size=8).hexdigest()
    assert batch_seed(5, 1, 2) == int(digest, 16) // 2


def test_each_argument_counts_and_the_first_rank_draws_as_one_process():
    seeds = [batch_seed(*arguments) for arguments in product(range(3), repeat=4)]
    assert len(set(seeds)) == 81
    assert batch_seed(0, 1, 2, 0) == batch_seed(0, 1, 2)


def test_the_process_is_left_as_it_was():
    state, fill = torch.get_rng_state(), deterministic.fill_uninitialized_memory
    with repeatable(torch.device("cpu")):
        torch.rand(5)
        torch.use_deterministic_algorithms(True)
        assert not deterministic.fill_uninitialized_memory
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
    assert deterministic.fill_uninitialized_memory == fill
