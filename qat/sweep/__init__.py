"""Many runs: points, skipping of finished runs, launchers, searches."""
