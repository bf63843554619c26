"""python-engineio's name for the room that attaches a server to an application of this mode.

May import: `net.sanic`. Importing it is a way to tell packagers that the mode is needed.
"""

from fastsio.net.sanic import attach, serve

__all__ = ["attach", "serve"]
