"""The handler class that mounts a server in a Tornado application.

May import: `net.tornado`, inside its function only.
"""

from typing import Any


def get_tornado_handler(engineio_server: Any) -> type:
    """Give the handler class of a server.

    Example:
        app = tornado.web.Application([(r"/engine.io/", get_tornado_handler(server))])
    """
    from fastsio.net.tornado import handler_class

    return handler_class(engineio_server._registry, engineio_server.handle_request)
