"""Class namespaces with sessions, calls to clients, callbacks, refusals and binary data.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import importlib
import os
from typing import Any

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", cookie="session", namespaces=["/", "/open"])


class Shop(socketio.AsyncNamespace):
    """Needs a token; keeps a basket in the session."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> bool | None:
        if not auth:
            return False
        if auth.get("token") == "old":
            raise socketio.exceptions.ConnectionRefusedError("token expired", {"renew": True})
        if auth.get("token") == "odd":
            raise socketio.exceptions.ConnectionRefusedError("odd", 1, 2)
        await self.save_session(sid, {"name": auth["name"], "basket": []})
        return None

    async def on_put(self, sid: str, thing: str) -> int:
        async with self.session(sid) as session:
            session["basket"].append(thing)
            return len(session["basket"])

    async def on_basket(self, sid: str) -> tuple[str, list[str]]:
        session = await self.get_session(sid)
        return session["name"], session["basket"]

    async def on_order(self, sid: str) -> dict[str, Any]:
        """Ask the client back, within the handler."""
        address = await self.call("address", {"for": "order"}, to=sid, timeout=2)
        return {"address": address}

    async def on_order_slowly(self, sid: str) -> str:
        try:
            await self.call("never answered", to=sid, timeout=0.1)
        except socketio.exceptions.TimeoutError:
            return "no answer"
        return "an answer"

    async def on_ask_all(self, sid: str) -> None:
        async def answered(*answer: Any) -> None:
            await self.emit("answered", answer, to=sid)

        await self.emit("question", "ready?", callback=answered, to=sid)

    async def on_tell_others(self, sid: str, text: str) -> None:
        await self.emit("told", text, skip_sid=sid)

    async def on_picture(self, sid: str, data: bytes) -> tuple[bytes, dict[str, Any]]:
        await self.emit("thumbnail", {"small": data[:2], "list": [data, b""]}, to=sid)
        return data[::-1], {"size": len(data)}

    async def on_nothing(self, sid: str) -> None:
        pass

    async def on_crash(self, sid: str) -> None:
        raise RuntimeError("a handler of the application fails")

    async def on_leave(self, sid: str) -> None:
        await self.disconnect(sid)

    async def on_disconnect(self, sid: str, reason: str) -> None:
        session = await self.get_session(sid)
        await sio.emit("left", [session["name"], reason], namespace="/")


class Everything(socketio.AsyncNamespace):
    """Takes what no other namespace takes."""

    async def on_ping_me(self, namespace: str, sid: str, number: int) -> list[Any]:
        return [namespace, number]


sio.register_namespace(Shop("/shop"))
sio.register_namespace(Everything("*"))
app = socketio.ASGIApp(sio, socketio_path="live/socket.io")
