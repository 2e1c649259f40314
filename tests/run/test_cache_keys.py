"""Cache keys: a result is shared exactly where it is the same."""

from dataclasses import replace

import pytest

from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys


@pytest.fixture
def keys(make_prepared) -> CacheKeys:
    return make_prepared().keys


def test_logits_depend_on_the_batch_size_and_values_of_images_do_not(keys):
    assert keys.float_logits("a", 7) != keys.float_logits("a", 8)
    assert replace(keys, test_batch_size=7).float_values("a") == keys.float_values("a")


@pytest.mark.parametrize(
    ("name", "more"), [("float_values", ()), ("float_logits", (8,)), ("calibration", ())]
)
def test_results_of_other_weights_are_other_entries(keys, name, more, tmp_path):
    key, cache = getattr(keys, name), Cache(tmp_path)
    paths = [cache.path_of("kind", key(digest, *more)) for digest in ("a", "a", "b")]
    assert paths[0] == paths[1] != paths[2]


def test_calibration_alone_depends_on_the_seed_of_the_run(keys):
    other = replace(keys, seed=1)
    assert other.calibration("a") != keys.calibration("a")
    assert other.float_logits("a", 8) == keys.float_logits("a", 8)
    assert other.float_training() == keys.float_training()


def test_float_training_does_not_depend_on_the_scheme(make_prepared):
    narrow = make_prepared(scheme__weight__bits=2, seed=3)
    assert narrow.keys.float_training() == make_prepared().keys.float_training()
    longer = make_prepared(float__epochs=2)
    assert longer.keys.float_training() != make_prepared().keys.float_training()
