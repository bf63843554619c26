"""A proxy that makes a network bad, and what the server makes of that."""
