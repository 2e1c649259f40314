"""The schema and torchvision's networks in Hydra's store, where compositions find them."""

from qat.config.schema import RunConfig
from qat.models.names import torchvision_names

SCHEMA_NAME = "run_schema"


def register_schema() -> None:
    """Register the schema with Hydra as ``run_schema``, and torchvision's networks as models.

    It may be called more than once: later calls do nothing.
    """
    from hydra.core.config_store import ConfigStore  # here, so that the schema loads no Hydra

    store = ConfigStore.instance()
    if f"{SCHEMA_NAME}.yaml" in store.list(""):
        return
    store.store(name=SCHEMA_NAME, node=RunConfig, provider="qat")
    for name in torchvision_names():
        model = {"source": "torchvision", "name": name, "weights": None}
        store.store(group="model", name=name, node=model, provider="torchvision")
