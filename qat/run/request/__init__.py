"""What is known of a run before it computes: its values, its checks, its identity."""
