"""A socket as the Admin UI shows it.

May import: `_http`, `limits`. Never changes or keeps anything: environments made for a description are thrown away.
"""

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from fastsio._http import environ as make_environ
from fastsio.admin.limits import ROOMS_SHOWN


def iso_time(seconds: float | None = None) -> str:
    """Give a moment (now when None) as the UI takes it."""
    now = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return now.isoformat()


def describe(server: Any, member: Any) -> dict[str, Any]:
    """Describe one member of a namespace; one without a session (tests make up such) has an empty handshake."""
    return {
        "id": member.sid,
        "clientId": member.eio_sid,
        "transport": "polling" if member.session is None else member.session.transport,
        "nsp": member.namespace,
        "data": {},
        "handshake": _describe_handshake(_environ_of(server, member), member.session),
        "rooms": [_shown(room) for room in member.room_names()[:ROOMS_SHOWN]],
    }


def _environ_of(server: Any, member: Any) -> dict[str, Any]:
    """Give the application's own environ when there is one, since applications mend it; one that is not kept else."""
    session = member.session
    if session is None or session.request is None:
        return dict(server.environ.get(member.eio_sid) or {})
    if session.environ is None:
        return dict(make_environ(session.request))
    return session.environ if isinstance(session.environ, dict) else {}  # an application may delete it


def _describe_handshake(environ: dict[str, Any], session: Any) -> dict[str, Any]:
    opened_at = _opened_at(session)
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return {
        "address": environ.get("REMOTE_ADDR", ""),
        "headers": {key[5:].lower(): value for key, value in environ.items() if key.startswith("HTTP_")},
        "query": {key: values[0] if len(values) == 1 else values for key, values in query.items()},
        "secure": environ.get("wsgi.url_scheme", "") == "https",
        "url": environ.get("PATH_INFO", ""),
        "issued": int(opened_at * 1000),
        "time": iso_time(opened_at) if opened_at else "",
    }


def _opened_at(session: Any) -> float:
    """Give when a session was opened, in seconds since the epoch; 0 for one that is not."""
    if session is None or not session.opened_at:
        return 0
    return float(time.time() - (time.monotonic() - session.opened_at))


def _shown(room: Any) -> str | int:
    """Give a room's name in a form that has a place in JSON; any hashable object may be one."""
    return room if isinstance(room, (str, int)) else str(room)


def sample(rooms: Any, limit: int) -> list[Any]:
    """Give up to `limit` members; small namespaces whole, large ones in part."""
    found: list[Any] = []
    halls = sorted(rooms.halls.values(), key=lambda hall: len(hall.members))
    for index, hall in enumerate(halls):
        share = (limit - len(found)) // (len(halls) - index)
        found.extend(member for member, _ in zip(hall.members.values(), range(share)))
    return found
