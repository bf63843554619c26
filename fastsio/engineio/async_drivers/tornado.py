"""python-engineio's name for the home of `get_tornado_handler`.

May import: `engineio.tornado`.
"""

from fastsio.engineio.tornado import get_tornado_handler

__all__ = ["get_tornado_handler"]
