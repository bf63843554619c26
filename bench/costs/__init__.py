"""What parts of fastsio cost when they are used, and what they cost when not: rows against the plain server."""
