"""Minutes of mixed clients over a bad network, every event accounted for: `make soak`."""
