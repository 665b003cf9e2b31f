"""The HTTP API that a bearer key opens: requests in, responses out."""
