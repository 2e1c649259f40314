"""The data set of a run, loaded once for all points of a sweep that share it."""

import json
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.config.modes import calibration_path
from qat.config.schema import DataConfig, RunConfig
from qat.data.bundle import DataBundle
from qat.data.load import OPTIONS, load_data
from qat.data.names import TORCHVISION_DATA, chosen_options
from qat.data.request import DataRequest
from qat.run.request.data_parts import check_only_test
from qat.run.request.preprocessing import data_settings

IMAGE_FACTS = "image_facts"


def load_run_data(config: RunConfig) -> DataBundle:
    """Load the data set of a configuration on the CPU; the last two stay in memory.

    Without ``data.mean``, the normalisation is the one that comes with the float network's
    weights, if any: see :func:`qat.run.request.preprocessing.data_settings`.

    Raises:
        DataError: If the data cannot be loaded as the configuration says.
        InputError: If an option is unknown, two settings give different numbers of classes, or the
            run needs train images and there are none.
    """
    check_only_test(config)
    settings, line = data_settings(config)
    data = _load_shared(
        json.dumps(settings, sort_keys=True),
        config.paths.data,
        calibration_path(config),
        config.paths.cache,
    )
    return data if line is None else replace(data, notes=(*data.notes, line))


@lru_cache(maxsize=2)  # most points of a sweep share their images
def _load_shared(settings: str, root: str, calibration: str | None, cache: str) -> DataBundle:
    data = DataConfig(**json.loads(settings))
    fields = asdict(data)
    for name in ("augment", "target", "options", "classes"):
        del fields[name]
    request = DataRequest(
        **fields,
        **_options(data),
        root=Path(root),
        calibration=None if calibration is None else Path(calibration),
        index_folder=Path(cache) / IMAGE_FACTS,
        track=lambda items: tracked("images", items),
    )
    return load_data(request)


def _options(data: DataConfig) -> dict[str, Any]:
    """Arguments of the loader from ``data.options`` and ``data.classes``."""
    options = dict(data.options)
    if data.name == "user":  # the user's function decides which options it takes
        options = {"target": data.target, "options": options}
    elif data.name in TORCHVISION_DATA:
        options = {"options": chosen_options(data.name, options)}
    else:
        for option in options:
            one_of("a key of data.options", option, OPTIONS)
    if data.classes is not None and options.setdefault("classes", data.classes) != data.classes:
        raise InputError(
            f"data.classes={data.classes} and data.options.classes={options['classes']}: give one"
        )
    return options
