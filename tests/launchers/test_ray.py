"""Runs as tasks of Ray, on a cluster of two nodes that the sweep joins."""

import pytest

from tests.launchers.conftest import POINTS

ray = pytest.importorskip("ray")
pytest.importorskip("hydra_plugins.hydra_ray_launcher")


@pytest.fixture
def joined():
    """Words that join a cluster of two nodes, one core each, on this machine."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield ["hydra/launcher=ray_cluster", f"hydra.launcher.ray.init.address={cluster.address}"]
    finally:
        cluster.shutdown()


@pytest.mark.ray
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_a_sweep_on_two_nodes_gives_the_metrics_of_a_local_one(sweeps, locally, joined):
    code, out = sweeps.run("ray", *POINTS, *joined)
    assert code == 0, out
    assert sweeps.metrics("ray") == locally


@pytest.mark.ray
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_a_killed_task_is_launched_again(sweeps, locally, joined):
    process = sweeps.start("killed", *POINTS, *joined)
    killed = sweeps.kill_one("killed", lambda record: True, process)
    out, _ = process.communicate()
    assert "the launcher ended with" in out
    assert process.returncode == 0, out
    assert killed in sweeps.records("killed")
    assert sweeps.metrics("killed") == locally
