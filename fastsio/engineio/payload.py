"""The limit on packets of one polling body, where python-engineio's applications look for it.

May import: `options`.
"""

from fastsio.options import DEFAULT_MAX_DECODE_PACKETS


class Payload:
    """Applications assign `max_decode_packets`; it is read for each body."""

    max_decode_packets = DEFAULT_MAX_DECODE_PACKETS
