"""What Hydra's store has."""

from hydra.core.config_store import ConfigStore

from qat.config.register import SCHEMA_NAME, register_schema


def test_hydra_knows_the_schema_and_torchvisions_networks():
    register_schema()
    register_schema()
    store = ConfigStore.instance()
    assert store.load(f"{SCHEMA_NAME}.yaml").node.seed == 0
    network = store.load("model/resnet18.yaml").node
    assert (network.source, network.name) == ("torchvision", "resnet18")
