_Fields = list[tuple[bytes, bytes]]

# method, path, query, content length, closes, wants an upgrade, to a WebSocket, fields
def peek(data: bytes) -> tuple[bytes, bytes, bytes, int, bool, bool, bool, _Fields] | None: ...
