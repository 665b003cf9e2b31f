"""Deploy into the embedded AWS, check a deployed stack, and redrive its dead letters."""
