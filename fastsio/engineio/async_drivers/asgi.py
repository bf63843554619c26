"""python-engineio's name for the home of `ASGIApp`.

May import: `engineio.asgi`.
"""

from fastsio.engineio.asgi import ASGIApp

__all__ = ["ASGIApp"]
