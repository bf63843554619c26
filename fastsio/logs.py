"""Log lines as JSON, one object each, with the session, the event and the kind of refusal as fields of their own.

May import: the standard library. `fastsio run --log-format json` uses it for everything that the process logs; elsewhere
`handler.setFormatter(JsonFormatter())` does it for a handler of yours.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

# Environment: the format of servers that make their own handler (`logger=True` or False); set by `fastsio run`.
FORMAT_VARIABLE = "FASTSIO_LOG_FORMAT"
# Lines whose arguments are fields too, by their text before the arguments are put in.
ARGUMENTS = {
    'received event "%s" from %s [%s]': ("event", "sid", "namespace"),
    'emitting event "%s" to %s [%s]': ("event", "room", "namespace"),
    "received ack from %s [%s]": ("sid", "namespace"),
}
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
        "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {
            "uvicorn": {**own, "level": level.upper()},
            "uvicorn.access": {**own, "level": "INFO"},
            "asyncio": {**own, "level": "WARNING"},
            "fastsio": {**own, "level": "INFO"},
        },
    }
