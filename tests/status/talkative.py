"""A server that logs every event, in a process of its own: loggers belong to the whole process."""

import fastsio

sio = fastsio.AsyncServer(async_mode="asgi", logger=True, engineio_logger=True)
app = fastsio.ASGIApp(sio)


@sio.event
async def say(sid: str, text: str) -> None:
    await sio.emit("said", text, to=sid)
