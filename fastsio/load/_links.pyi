from ssl import SSLContext
from typing import Self, final

@final
class Links:
    bytes_in: int
    bytes_out: int
    def __new__(cls, host: str, port: int, tls_context: SSLContext | None, many_sources: bool) -> Self: ...

def resolve(host: str, port: int) -> tuple[int, str, int]: ...
