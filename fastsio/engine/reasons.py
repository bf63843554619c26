"""Why a session ended: every reason that a disconnect handler may be given.

May import: nothing. The first five are python-socketio's, word for word; the others name causes it does not know.
"""

CLIENT_DISCONNECT = "client disconnect"
SERVER_DISCONNECT = "server disconnect"
PING_TIMEOUT = "ping timeout"
TRANSPORT_CLOSE = "transport close"
TRANSPORT_ERROR = "transport error"

CONNECT_TIMEOUT = "connect timeout"  # no namespace was joined in time
SLOW_CLIENT = "slow client"  # owed more than `max_send_buffer` or `max_send_packets`
SERVER_SHUTDOWN = "server shutdown"
