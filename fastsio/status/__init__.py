"""What a server does, for people and for monitoring: a page, its numbers as JSON, and Prometheus' text.

Nothing here runs until it is mounted and asked for; the numbers are counters that the engine keeps anyway.
"""

from fastsio.status.app import StatusApp

__all__ = ["StatusApp"]
