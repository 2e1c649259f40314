"""What quantizing each layer costs in accuracy: metrics, and tables of scores."""
