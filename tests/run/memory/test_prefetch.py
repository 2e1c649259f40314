"""A run with packed weights that are unpacked one layer ahead."""

import pytest

from qat.export.packed.network import save_packed
from qat.run.memory import prefetch
from qat.run.memory.prefetch import time_prefetch


@pytest.fixture
def images(make_prepared):
    return next(make_prepared().images.first_test_images(1))


@pytest.fixture(autouse=True)
def few_passes(monkeypatch):
    monkeypatch.setattr(prefetch, "REPEATS", 2)
    monkeypatch.setattr(prefetch, "WARMUP", 0)


def test_bytes_are_those_of_two_layers_at_most(make_quantized_state, images, tmp_path):
    qnet = make_quantized_state(scheme__first_last="same").qnet
    save_packed(qnet, tmp_path / "packed.safetensors")
    report = time_prefetch(qnet, tmp_path / "packed.safetensors", images)
    weights = {"first": 108, "second": 144, "head": 12}
    assert report.layers == 3
    assert report.packed_weight_bytes == sum(weights.values()) // 2  # 4 bits each
    assert report.float_weight_bytes == 4 * sum(weights.values())
    assert report.peak_unpacked_in_turn_bytes == 4 * 144
    assert report.peak_unpacked_bytes == 4 * (108 + 144)
    assert set(report.latency) == {"ordinary", "interpreted", "prefetch", "unpacked_in_turn"}


def test_a_file_of_other_weights_is_refused(make_quantized_state, images, tmp_path):
    qnet, other = (make_quantized_state(float__seed=seed).qnet for seed in (0, 1))
    save_packed(other, tmp_path / "packed.safetensors")
    with pytest.raises(ValueError, match=r"another output than the network \(prefetch\): write"):
        time_prefetch(qnet, tmp_path / "packed.safetensors", images)


def test_a_file_without_codes_of_weights_is_refused(make_quantized_state, images, tmp_path):
    qnet = make_quantized_state(scheme__weight__bits=32, scheme__first_last="same").qnet
    save_packed(qnet, tmp_path / "packed.safetensors")
    with pytest.raises(ValueError, match="holds no weight as codes"):
        time_prefetch(qnet, tmp_path / "packed.safetensors", images)
