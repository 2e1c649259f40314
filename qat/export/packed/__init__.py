"""The packed file: a quantized network whose codes take only as many bits as their width."""
