"""Every tunable of a server, once: default, unit, check.

May import: nothing of ours. Options are live: engine and hub read them at each use, so an application that assigns
`sio.eio.ping_interval` later is heard. Compiled with the types of `options.pxd`.
"""

import inspect
from collections.abc import Mapping

TRANSPORTS = ("polling", "websocket")
PROTOCOLS = (4, 3)

# Packets accepted in one polling body, unless the application says otherwise (`Payload.max_decode_packets`).
DEFAULT_MAX_DECODE_PACKETS = 10_000

# Option -> what may be chosen.
POLICIES = {
    "slow_client_policy": ("disconnect", "drop_oldest", "drop_newest"),
    "rate_policy": ("disconnect", "drop"),
}


# A value that has any of these may stand on the right of `in`.
LOOKED_UP_BY = ("__contains__", "__iter__", "__getitem__")


def _default_packet_limit():
    return DEFAULT_MAX_DECODE_PACKETS


class Options:
    """The options of one Engine.IO server, with the values that python-engineio documents."""

    def __init__(self):
        self.ping_interval = 25.0  # s between the last pong and the next ping (Engine.IO 4)
        self.ping_grace = 0.0  # s added to the ping interval that clients are told
        self.ping_timeout = 20.0  # s until an unanswered ping, or a silent Engine.IO 3 client, counts as dead
        self.upgrade_timeout = 10.0  # s that a probing WebSocket has to finish the upgrade
        self.connect_timeout = 45.0  # s that a Socket.IO client has to join a first namespace
        self.linger_timeout = 30.0  # s that a closed polling session waits for the poll that tells its client
        self.max_http_buffer_size = 1_000_000  # bytes of one polling body or WebSocket message
        self.max_send_buffer = 16 * 1024 * 1024  # bytes owed to one client before it counts as slow
        self.max_send_packets = 50_000  # packets owed to one client before it counts as slow
        self.high_water = 64 * 1024  # bytes owed to one client from which volatile events pass it by
        self.slow_client_policy = "disconnect"  # what happens to a client, or its events, at `max_send_buffer`
        self.max_poll_response = 4 * 1024 * 1024  # bytes of one poll response; the rest goes with the next
        self.max_fragments = 4096  # fragments of one WebSocket message
        self.max_attachments = 64  # binary attachments of one packet
        self.max_binary_packet = 10_000_000  # bytes of all attachments of one packet together
        self.max_namespaces = 64  # namespaces that one client may be in
        self.max_rooms = 100_000  # rooms that one client may be in, in one namespace
        self.max_pending_acks = 10_000  # acknowledgements that one client may owe, in one namespace
        self.max_waiting_packets = 50_000  # packets of one client that may wait for its handlers
        self.max_waiting_bytes = 16 * 1024 * 1024  # bytes of them
        self.pause_at_packets = 256  # packets that wait for a client's handlers before it is not read any more
        self.pause_at_bytes = 1024 * 1024  # bytes of them
        self.hold_timeout = 300.0  # s that a client may not be read before its silence counts all the same
        self.max_events_per_second = 0.0  # messages that one client may send, on average; 0: any number
        self.max_bytes_per_second = 0.0  # bytes of them
        self.rate_burst = 5.0  # s of either rate that may come at once
        self.rate_policy = "disconnect"  # what happens to a client, or its events, beyond the rates
        self.control_rate = 50.0  # pings that one client may send in a second, on average; 0: any number
        self.control_burst = 200.0  # pings of it that may come at once
        self.max_sessions = 200_000  # sessions of one process
        self.max_sessions_per_address = 0  # sessions of one peer address; 0: any number
        self.handshake_rate = 0.0  # handshakes that one peer address may make in a second, on average; 0: any number
        self.handshake_burst = 20.0  # handshakes of it that may come at once
        self.max_loop_lag = 0.0  # s that the event loop may be late before nobody new is let in; 0: it does not matter
        self.retry_after = 1  # s that a client is told to wait when it is turned away
        self.tcp_user_timeout = (
            45.0  # s until the kernel gives up a peer that acknowledges nothing; 0: the kernel's own
        )
        self.log_rate = 10.0  # lines a second for each kind of refusal; the rest are counted in the next; 0: all
        self.watchdog = 0.0  # s that one turn of the loop may take before the log names what holds it; 0: nobody looks
        self.compression_threshold = 1024  # bytes from which a poll response or a WebSocket message is compressed
        self.transports = TRANSPORTS
        self.protocols = PROTOCOLS
        self.allow_upgrades = True
        self.jsonp = False
        self.http_compression = True
        self.per_message_deflate = False
        self.cors_allowed_origins = None
        self.cors_credentials = True
        self.cookie = None
        self.packet_limit = _default_packet_limit


def checked_choice(name, value):
    """Give a policy back.

    Raises:
        ValueError: it is none of those that `POLICIES` has for this option.
    """
    if value not in POLICIES[name]:
        raise ValueError(f"{name}={value!r}; choose one of {', '.join(POLICIES[name])}")
    return value


def checked_transports(value):
    """Give the enabled transports as a tuple.

    Raises:
        ValueError: none of them is known.
    """
    names = (value,) if isinstance(value, str) else tuple(TRANSPORTS if value is None else value)
    valid = tuple(name for name in names if name in TRANSPORTS)
    if not valid:
        raise ValueError(f"No valid transports provided: {value!r}; choose from {TRANSPORTS}")
    return valid


def checked_protocols(value):
    """Give the Engine.IO revisions to serve as a tuple.

    Raises:
        ValueError: a revision is not one of `PROTOCOLS`, or there is none.
    """
    revisions = (value,) if isinstance(value, int) else tuple(value)
    if not revisions or any(revision not in PROTOCOLS for revision in revisions):
        raise ValueError(f"protocols={value!r}; choose one or both of the Engine.IO revisions {PROTOCOLS}")
    return revisions


def checked_origins(value):
    """Give `cors_allowed_origins` back.

    Raises:
        TypeError: origins cannot be looked up in it, and it cannot be asked.
        ValueError: the value is a coroutine function, whose answer would always be true.
    """
    if inspect.iscoroutinefunction(value):
        raise ValueError("cors_allowed_origins must be a plain function: it is asked before anything may wait")
    if not (value is None or callable(value) or any(hasattr(value, name) for name in LOOKED_UP_BY)):
        raise TypeError(
            f"cors_allowed_origins={value!r}; choose None for the server's own, an origin such as 'https://example.com', "
            "a list of them, '*' for any, [] to leave it to others, or a function"
        )
    return value


def checked_json(value):
    """Give `json` back.

    Raises:
        TypeError: JSON cannot be written and read with it.
    """
    if not (value is None or (hasattr(value, "dumps") and hasattr(value, "loads"))):
        raise TypeError(f"json={value!r}; choose a module with dumps and loads, or None for the built-in one")
    return value


def checked_cookie(value):
    """Give `cookie` back.

    Raises:
        TypeError: it is neither a name nor a dict of attributes, nor nothing.
    """
    if value and not isinstance(value, (str, Mapping)):
        raise TypeError(f"cookie={value!r}; choose None, a name, or a dict such as {{'name': 'io', 'Path': '/'}}")
    return value
