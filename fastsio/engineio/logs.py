"""Loggers as python-engineio and python-socketio set them up.

May import: nothing.
"""

import logging
from typing import Any


def server_logger(name: str, setting: bool | logging.Logger | Any) -> Any:
    """Give the logger for a `logger=` option.

    True logs at INFO and False at ERROR, to stderr, unless the application has given the logger a level of its own;
    anything else is the logger to use.
    """
    if not isinstance(setting, bool):
        return setting
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO if setting else logging.ERROR)
        logger.addHandler(logging.StreamHandler())
    return logger
