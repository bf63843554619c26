"""The handler class that mounts a Socket.IO server in a Tornado application.

May import: `engineio.tornado`.
"""

from typing import Any

from fastsio.engineio import tornado


def get_tornado_handler(socketio_server: Any) -> type:
    """Give the handler class of a server.

    Example:
        app = tornado.web.Application([(r"/socket.io/", get_tornado_handler(sio))])
    """
    return tornado.get_tornado_handler(socketio_server.eio)
