"""The page in a browser. A package, so that its tests can share one stack and nobody else does."""
