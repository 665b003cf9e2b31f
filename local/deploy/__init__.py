"""Real deployments into the embedded AWS, and what is done with a deployed stack."""
