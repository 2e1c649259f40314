"""One run: prepared, computed stage by stage, recorded."""
