"""`make bench`: how fast and how dear it is, as ratios measured in one run."""
