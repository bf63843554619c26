"""The exceptions that python-socketio's applications know, with its names and relations.

May import: nothing.
"""

from typing import Any


class SocketIOError(Exception):
    """Base of everything here."""


class ConnectionError(SocketIOError):
    pass


class ConnectionRefusedError(ConnectionError):
    """Raised by a connect handler to refuse the client.

    The client is shown the first argument, as text, as the message; what follows is the data of its `connect_error`.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.error_args: dict[str, Any] = {"message": str(args[0]) if args else "Connection rejected by server"}
        if len(args) == 2:
            self.error_args["data"] = args[1]
        elif len(args) > 2:
            self.error_args["data"] = args[1:]


class TimeoutError(SocketIOError):
    """`call()` was not answered in time."""


class BadNamespaceError(SocketIOError):
    pass


class DisconnectedError(SocketIOError):
    pass
