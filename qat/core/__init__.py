"""The arithmetic of quantization and the data that describes it: grids, ranges, codes, plans."""
