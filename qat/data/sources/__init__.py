"""Where data sets come from: one loader a file, and what the loaders share."""
