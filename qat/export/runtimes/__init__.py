"""Programs that execute an exported network, behind one interface."""
