"""Loggers as python-engineio and python-socketio set them up.

May import: `fastsio.logs`.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

from fastsio.logs import FORMAT_VARIABLE, JsonFormatter


def server_logger(name: str, setting: bool | logging.Logger | Any) -> Any:
    """Give the logger for a `logger=` option.

    True logs at INFO and False at ERROR, to stderr, unless the application has given the logger a level of its own;
    anything else is the logger to use.

    Raises:
        TypeError: it is no logger.
    """
    if not isinstance(setting, bool):
        if setting is not None and not hasattr(setting, "info"):
            raise TypeError(f"logger={setting!r}; choose True, False, or a logger such as logging.getLogger('chat')")
        return setting
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO if setting else logging.ERROR)
        handler = logging.StreamHandler()
        if os.environ.get(FORMAT_VARIABLE) == "json":
            handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
    return logger


def announcer(logger: Any, protocol: str) -> Callable[[str], None]:
    """Give a function that logs, the first time that it is called, the path that clients have to use.

    At INFO on the server's logger; where that is quiet, on uvicorn's, which people read when they start a server.
    """
    said: list[str] = []

    def announce(path: str) -> None:
        if said:
            return
        said.append(path)
        is_quiet = isinstance(logger, logging.Logger) and not logger.isEnabledFor(logging.INFO)
        (logging.getLogger("uvicorn.error") if is_quiet else logger).info("%s is served at %s", protocol, path)

    return announce
