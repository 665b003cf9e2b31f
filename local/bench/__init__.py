"""`make bench`: speed and cost, as ratios within a run."""
