"""The load generator, against real servers of two makes and against servers that misbehave."""
