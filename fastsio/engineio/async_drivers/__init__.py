"""The names that python-engineio's applications import for each mode; the wires stand in `fastsio.net`."""
