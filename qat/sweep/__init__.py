"""Many runs: points, what is done already, launchers, searches."""
