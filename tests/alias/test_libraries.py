"""Libraries from PyPI that import `socketio` by name, on fastsio through `install()`."""

from interpreters import run


def test_flask_socketio():
    """It wants the synchronous Server, which is python-socketio's, beside modules that are ours."""
    run("""
        import fastsio

        fastsio.install()
        import flask
        import flask_socketio
        from socketio.exceptions import ConnectionRefusedError

        assert flask_socketio.ConnectionRefusedError is ConnectionRefusedError
        app = flask.Flask(__name__)
        sio = flask_socketio.SocketIO(app, async_mode="threading")

        @sio.on("connect")
        def connect(auth):
            if auth != "secret":
                raise ConnectionRefusedError("go away")

        @sio.on("add")
        def add(a, b):
            flask_socketio.emit("added", {"sum": a + b})
            return a + b

        client = sio.test_client(app, auth="secret")
        assert client.is_connected()
        assert client.emit("add", 1, 2, callback=True) == 3
        assert client.get_received() == [{"name": "added", "args": [{"sum": 3}], "namespace": "/"}]
        assert not sio.test_client(app, auth="wrong").is_connected()
    """)


def test_fastapi_socketio():
    run("""
        import asyncio, socket

        import fastsio

        fastsio.install()
        import fastapi, fastapi_socketio, socketio, uvicorn

        app = fastapi.FastAPI()
        manager = fastapi_socketio.SocketManager(app=app, mount_location="/ws", socketio_path="/ws/socket.io")
        assert type(app.sio) is fastsio.AsyncServer

        @manager.on("join")
        async def join(sid, name):
            await app.sio.enter_room(sid, "lobby")
            await app.sio.emit("joined", name, room="lobby")
            return f"welcome, {name}"

        @app.get("/tell")
        async def tell(text: str):
            await app.sio.emit("told", text, room="lobby")

        async def converse(port):
            client, told = socketio.AsyncClient(), asyncio.Queue()
            client.on("*", lambda *event: told.put_nowait(event))
            await client.connect(f"http://127.0.0.1:{port}", socketio_path="/ws/socket.io")
            assert await client.call("join", "Ada") == "welcome, Ada"
            assert await told.get() == ("joined", "Ada")
            async with client.eio.http.get(f"http://127.0.0.1:{port}/tell?text=hello") as response:
                assert response.status == 200
            assert await told.get() == ("told", "hello")
            await client.disconnect()

        async def main():
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            serving = asyncio.create_task(server.serve([listener]))
            await asyncio.wait_for(converse(listener.getsockname()[1]), 20)
            server.should_exit = True
            await serving

        asyncio.run(main())
    """)
