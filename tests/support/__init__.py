"""What only tests use: doubles, drivers and fixtures."""
