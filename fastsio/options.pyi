from collections.abc import Callable
from typing import Any, Final

TRANSPORTS: Final[tuple[str, ...]]
PROTOCOLS: Final[tuple[int, ...]]
DEFAULT_MAX_DECODE_PACKETS: Final[int]
LOOKED_UP_BY: Final[tuple[str, ...]]
POLICIES: Final[dict[str, tuple[str, ...]]]

class Options:
    ping_interval: float
    ping_grace: float
    ping_timeout: float
    upgrade_timeout: float
    connect_timeout: float
    linger_timeout: float
    max_http_buffer_size: int
    max_send_buffer: int
    max_send_packets: int
    high_water: int
    slow_client_policy: str
    max_poll_response: int
    max_fragments: int
    max_attachments: int
    max_binary_packet: int
    max_namespaces: int
    max_waiting_packets: int
    max_waiting_bytes: int
    pause_at_packets: int
    pause_at_bytes: int
    hold_timeout: float
    max_events_per_second: float
    max_bytes_per_second: float
    rate_burst: float
    rate_policy: str
    max_sessions: int
    max_sessions_per_address: int
    handshake_rate: float
    handshake_burst: float
    retry_after: int
    tcp_user_timeout: float
    watchdog: float
    max_loop_lag: float
    max_rooms: int
    max_pending_acks: int
    control_rate: float
    control_burst: float
    log_rate: float
    compression_threshold: int
    transports: tuple[str, ...]
    protocols: tuple[int, ...]
    allow_upgrades: bool
    jsonp: bool
    http_compression: bool
    per_message_deflate: Any
    cors_allowed_origins: Any
    cors_credentials: bool
    cookie: Any
    packet_limit: Callable[[], int]

def checked_transports(value: Any) -> tuple[str, ...]: ...
def checked_protocols(value: Any) -> tuple[int, ...]: ...
def checked_origins(value: Any) -> Any: ...
def checked_json(value: Any) -> Any: ...
def checked_cookie(value: Any) -> Any: ...
def checked_choice(name: str, value: Any) -> str: ...
