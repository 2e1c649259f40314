"""Names of the files in a run's folder, beside its record."""

CONFIG_NAME = "config.yaml"
PLAN_NAME = "plan.json"
PACKED_NAME = "packed.safetensors"
SIZES_NAME = "sizes.json"
LAYERS_NAME = "layers.json"
HISTORY_NAME = "history.csv"
SENSITIVITY_NAME, ALLOCATION_NAME = "sensitivity.json", "allocation.json"
PTQ_NAME = "ptq.json"
MEMORY_NAME = "memory.json"
PARITY_NAME, LATENCY_NAME = "parity.json", "latency.json"
CHECKPOINTS = "checkpoints"
"""Folder with the checkpoints of a training."""

USUAL_NAMES = {
    "config": CONFIG_NAME,
    "allocation": ALLOCATION_NAME,
    "sensitivity": SENSITIVITY_NAME,
    "parity": PARITY_NAME,
    "latency": LATENCY_NAME,
    "memory": MEMORY_NAME,
    "ptq": PTQ_NAME,
}
"""Artifact → its file in the run's folder, read even if the record has no digest of it."""
