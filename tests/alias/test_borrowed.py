"""Client classes: python-socketio's code, in copies whose exceptions are fastsio's, with `install()` and without."""

import sys
from pathlib import Path

import pytest
from interpreters import WITHOUT_PYTHON_SOCKETIO, call, run

CONVERSATION = Path(__file__).parent / "conversation.py"


def test_clients_are_handed_out():
    run("""
        import sys

        import fastsio
        from fastsio import AsyncClient, AsyncSimpleClient, Client, ClientNamespace, SimpleClient, engineio
        from fastsio.async_namespace import AsyncClientNamespace

        assert fastsio.AsyncClientNamespace is AsyncClientNamespace
        assert hasattr(fastsio, "AsyncClient") and {"Client", "AsyncClient"} <= set(dir(fastsio))
        assert engineio.AsyncClient and {"Client", "AsyncClient"} <= set(dir(engineio))
        assert not hasattr(fastsio, "Nonsense") and not hasattr(engineio, "Nonsense")
        assert "socketio" not in sys.modules and "engineio" not in sys.modules
    """)


def test_without_python_socketio():
    run(
        """
        import fastsio
        from fastsio import engineio

        for statement in (
            "fastsio.AsyncClient", "fastsio.AsyncClient()", "from fastsio import Client", "engineio.Client",
            "from fastsio.engineio import AsyncClient", "from fastsio.async_namespace import AsyncClientNamespace",
        ):
            try:
                exec(statement)
            except ImportError as error:
                assert "pip install 'fastsio-engine[client]'" in str(error), (statement, error)
            else:
                raise AssertionError(statement)
        for module in (fastsio, engineio):
            assert "Client" not in dir(module)
        """,
        setup=WITHOUT_PYTHON_SOCKETIO,
    )


def test_clients_raise_our_exceptions():
    run("""
        import asyncio

        import fastsio as socketio
        from fastsio import engineio

        async def main():
            for module, client in ((socketio, socketio.AsyncClient()), (engineio, engineio.AsyncClient())):
                try:
                    await client.connect("http://127.0.0.1:9")
                except module.exceptions.ConnectionError:
                    continue
                raise AssertionError(client)

        asyncio.run(main())
        try:
            socketio.SimpleClient().connect("http://127.0.0.1:9")
        except socketio.exceptions.SocketIOError:
            pass
    """)


def test_late_imports_of_a_client_find_its_own_modules():
    run("""
        import fastsio

        fastsio.install()
        import socketio

        client = socketio.Client(serializer="msgpack")  # imported inside of the constructor
        assert client.packet_class.__module__ == "fastsio.borrowed.socketio.msgpack_packet"
        assert client._engineio_client_class() is fastsio.engineio.Client
        server = socketio.Server(async_mode="threading")  # imports its driver by its full name
        assert server.eio.async_mode == "threading"
    """)


def test_the_packet_limit_that_applications_assign_reaches_clients():
    run("""
        import fastsio

        fastsio.install()
        import engineio
        from engineio.payload import Payload
        from fastsio.borrowed.engineio.payload import Payload as Borrowed

        body = "\\x1e".join(["6"] * 30)
        assert len(Borrowed(encoded_payload=body).packets) == 30
        Payload.max_decode_packets = 20
        try:
            Borrowed(encoded_payload=body)
        except ValueError:
            pass
        else:
            raise AssertionError
    """)


@pytest.mark.parametrize("name", ["fastsio", "installed"])
@pytest.mark.parametrize("serializer", ["default", "msgpack"])
def test_a_conversation(name: str, serializer: str):
    assert "all said" in call([sys.executable, str(CONVERSATION), name, serializer]).stdout
