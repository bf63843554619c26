"""What is logged by a process that serves: lines as JSON, and access logs in which no session id is whole.

May import: the standard library, uvicorn's configuration of loggers. `fastsio run --log-format json` uses the first for everything
that the process logs; elsewhere `handler.setFormatter(JsonFormatter())` does it for a handler of yours.
"""

import copy
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from uvicorn.config import LOGGING_CONFIG

# Environment: the format of servers that make their own handler (`logger=True` or False); set by `fastsio run`.
FORMAT_VARIABLE = "FASTSIO_LOG_FORMAT"
# Lines whose arguments are fields too, by their text before the arguments are put in.
ARGUMENTS = {
    'received event "%s" from %s [%s]': ("event", "sid", "namespace"),
    'emitting event "%s" to %s [%s]': ("event", "room", "namespace"),
    "received ack from %s [%s]": ("sid", "namespace"),
}
SID = re.compile(r"(?<=[?&])(sid=[^&\s]{6})[^&\s]+")
SHORT_SIDS = {"short_sids": {"()": "fastsio.logs.ShortSids"}}
# Attributes of records that become fields: what fastsio gives with `extra`.
EXTRAS = ("kind", "sid", "event", "namespace")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON.

    Fields: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``; where they are known ``kind`` of refusal, ``sid`` (cut to
    six characters), ``event``, ``namespace``, ``room``; ``exception`` with its traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        names = ARGUMENTS.get(record.msg) if isinstance(record.msg, str) else None
        if names is not None and isinstance(record.args, tuple):
            fields.update(zip(names, record.args, strict=False))
        fields.update({name: value for name in EXTRAS if (value := getattr(record, name, None)) is not None})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class ShortSids(logging.Filter):
    """Cuts session ids in the access log of an ASGI server to six characters: who knows a whole one is that client."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if isinstance(record.args, tuple):
            record.args = tuple(SID.sub(r"\1...", item) if isinstance(item, str) else item for item in record.args)
        return True


def text_config() -> dict[str, Any]:
    """Give uvicorn's own `log_config`, with short session ids in the access log."""
    config = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = SHORT_SIDS
    config["loggers"]["uvicorn.access"]["filters"] = list(SHORT_SIDS)
    return config


def logging_config(level: str) -> dict[str, Any]:
    """Give what uvicorn's `log_config` takes so that it, and asyncio, write JSON to stderr.

    Args:
        level: of uvicorn's own lines, in lower case.
    """
    own = {"handlers": ["json"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "fastsio.logs.JsonFormatter"}},
        "filters": SHORT_SIDS,
        "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {
            "uvicorn": {**own, "level": level.upper()},
            "uvicorn.access": {**own, "level": "INFO", "filters": list(SHORT_SIDS)},
            "asyncio": {**own, "level": "WARNING"},
            "fastsio": {**own, "level": "INFO"},
        },
    }
