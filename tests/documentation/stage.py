"""What a page's readers have already when they come to a block: a server, an application, somebody who is connected.

May import: fastsio, its test client. Everything is real; `metrics` alone is the reader's own and does nothing.
"""

import dataclasses
import os
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse

import fastsio
from fastsio.testing import Client, client

# Pages whose blocks are not run in the suite's own process, and where they are.
NOT_RUN = {
    "docs/switching.md": "install() changes the whole process: tests/alias runs it in processes of their own",
}


class _Metrics:
    def gauge(self, name: str, value: float) -> None:
        pass


class Stage:
    """The names of one page's program.

    Attributes:
        names: what blocks find, and what they define.
    """

    def __init__(self) -> None:
        os.environ.setdefault("ADMIN_PASSWORD", "a password of the tests")
        self.server = fastsio.AsyncServer(async_mode="asgi")
        self.client: Client | None = None
        self.names: dict[str, Any] = {
            "__name__": "page",
            "app": FastAPI(),
            "dataclasses": dataclasses,
            "fastsio": fastsio,
            "JSONResponse": JSONResponse,
            "metrics": _Metrics(),
            "os": os,
            "position": {"x": 1, "y": 2},
            "price": 12.5,
            "sio": self.server,
            "socketio": fastsio,
        }

    async def __aenter__(self) -> "Stage":
        self._connection = client(self.server)
        self.client = await self._connection.__aenter__()
        self.names["sid"] = self.client.sid
        return self

    async def __aexit__(self, *what: object) -> None:
        await self._connection.__aexit__(None, None, None)
