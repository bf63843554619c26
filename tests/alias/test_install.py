"""`fastsio.install()`: who owns the names `socketio` and `engineio`, before, during and after."""

from pathlib import Path

from interpreters import WITHOUT_PYTHON_SOCKETIO, run


def test_names_and_submodules_are_fastsios():
    run("""
        import fastsio
        from fastsio import engineio as fastsio_engineio

        report = fastsio.install()
        import engineio
        import engineio.payload
        import socketio
        import socketio.async_server
        from engineio.async_drivers.asgi import ASGIApp as EngineApp
        from socketio.asgi import ASGIApp
        from socketio.exceptions import ConnectionRefusedError

        assert socketio.AsyncServer is fastsio.AsyncServer
        assert socketio.async_server is fastsio.async_server
        assert socketio.exceptions is fastsio.exceptions
        assert ConnectionRefusedError is fastsio.exceptions.ConnectionRefusedError
        assert ASGIApp is fastsio.ASGIApp
        assert engineio.AsyncServer is fastsio_engineio.AsyncServer
        assert engineio.payload.Payload is fastsio_engineio.payload.Payload
        assert EngineApp is fastsio_engineio.ASGIApp
        assert "fastsio" in str(report) and "5.18.1" in str(report) and report.replaced == () and report.held == {}
    """)


def test_every_documented_submodule_is_there():
    run("""
        import importlib

        import fastsio
        from fastsio.alias import MODULES

        fastsio.install()
        for package, names in MODULES.items():
            for name in names:
                module = importlib.import_module(f"{package}.{name}")
                assert getattr(importlib.import_module(package), name) is module, name
        from engineio.async_drivers import threading
        from engineio.async_socket import AsyncSocket
        from socketio.async_admin import InstrumentedAsyncServer
        from socketio.async_namespace import AsyncClientNamespace, AsyncNamespace
        from socketio.async_pubsub_manager import AsyncPubSubManager
        from socketio.base_manager import BaseManager
        from socketio.msgpack_packet import MsgPackPacket
        from socketio.packet import Packet
        from socketio.redis_manager import RedisManager, parse_redis_sentinel_url
        from socketio import *

        assert AsyncNamespace is fastsio.AsyncNamespace and AsyncServer is fastsio.AsyncServer
    """)


def test_managers_go_with_their_servers():
    run("""
        import fastsio

        fastsio.install()
        import socketio
        from socketio.pubsub_manager import PubSubManager

        for name in ("RedisManager", "PubSubManager"):
            assert getattr(socketio, name).__module__ != getattr(fastsio, name).__module__
        manager = socketio.RedisManager()
        assert isinstance(manager, PubSubManager)
        socketio.Server(async_mode="threading", client_manager=manager)
        assert socketio.AsyncRedisManager is fastsio.AsyncRedisManager
        socketio.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncRedisManager())
    """)


def test_what_is_not_there_says_so():
    run("""
        import fastsio

        fastsio.install()
        import socketio

        assert not hasattr(socketio, "Nonsense") and not hasattr(socketio, "hub") and not hasattr(socketio, "run")
        for statement in ("import socketio.nonsense", "from socketio import Nonsense", "import socketio.hub"):
            try:
                exec(statement)
            except ImportError:
                continue
            raise AssertionError(statement)
    """)


def test_uninstall_restores_everything():
    run("""
        import importlib, sys

        import fastsio, socketio, socketio.exceptions
        from fastsio import async_namespace

        def owned():
            return {name: id(module) for name, module in sys.modules.items() if name[:8] in ("socketio", "engineio")}

        before, finders, attributes = owned(), list(sys.meta_path), set(vars(async_namespace))
        report = fastsio.install()
        assert fastsio.install() is report
        import socketio as ours
        for name in ("engineio.async_drivers.threading", "socketio.async_namespace", "socketio.client"):
            importlib.import_module(name)
        ours.Server, ours.async_namespace.AsyncClientNamespace
        fastsio.uninstall()
        fastsio.uninstall()
        assert set(report.replaced) == set(before)
        assert owned() == before and sys.meta_path == finders and set(vars(async_namespace)) == attributes

        import socketio as theirs
        assert theirs is socketio and theirs.AsyncServer.__module__ == "socketio.async_server"
        assert ours.AsyncServer is fastsio.AsyncServer  # who imported it meanwhile keeps it

        fastsio.install()
        import socketio as again
        assert again.AsyncServer is fastsio.AsyncServer
    """)


def test_who_came_before_is_named():
    run("""
        import sys, types, warnings

        early = types.ModuleType("early_application")
        exec("import socketio\\nfrom socketio import AsyncServer\\nsio = AsyncServer(async_mode='asgi')", vars(early))
        sys.modules["early_application"] = early
        import fastsio

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            report = fastsio.install()
            fastsio.install()
        assert report.held == {"early_application": ("socketio", "AsyncServer", "sio")}, report.held
        (warning,) = caught
        assert "early_application (socketio, AsyncServer, sio)" in str(warning.message)
        assert warning.filename == "<string>"
        # It goes on in the old world, which has not been touched.
        assert early.socketio.AsyncServer is early.AsyncServer is not fastsio.AsyncServer
        client = early.socketio.Client()
        try:
            client.connect("http://127.0.0.1:9", wait_timeout=1)
        except early.socketio.exceptions.ConnectionError:
            pass
    """)


def test_lazy_objects_are_left_asleep():
    """Stand-ins as Chainlit, Werkzeug or Django have them, which make their object when asked for their class."""
    run("""
        import sys, types

        class Lazy:
            @property
            def __class__(self):
                raise RuntimeError("woken")

        early = types.ModuleType("early_application")
        early.context = Lazy()
        sys.modules["early_application"] = early
        sys.modules["lazy_module"] = Lazy()
        import socketio
        import fastsio

        assert "socketio" in fastsio.install().replaced
    """)


def test_metadata_and_specs_are_found():
    run("""
        import importlib.metadata, importlib.util

        import fastsio

        fastsio.install()
        assert importlib.metadata.version("python-socketio") == "5.18.1"
        assert importlib.util.find_spec("socketio") and importlib.util.find_spec("engineio.payload")
        import socketio
        assert importlib.util.find_spec("socketio") and importlib.util.find_spec("socketio.client")
        assert "AsyncServer" in dir(socketio) and "packet" in dir(socketio)
    """)


def test_patches_of_tests_reach_their_targets():
    run("""
        from unittest.mock import patch

        import fastsio

        fastsio.install()
        import socketio

        with patch("socketio.AsyncServer") as fake, patch("socketio.async_server.AsyncServer.emit"):
            assert socketio.AsyncServer is fake
            assert fastsio.AsyncServer.emit._mock_name == "emit"
        assert socketio.AsyncServer is fastsio.AsyncServer
        with patch("engineio.payload.Payload.max_decode_packets", 7):
            assert fastsio.engineio.payload.Payload.max_decode_packets == 7
    """)


def test_without_python_socketio():
    run(
        """
        import fastsio

        report = fastsio.install()
        assert report.borrowed is None and "fastsio-engine[client]" in str(report)
        import engineio.payload, socketio
        from socketio import *
        from socketio.exceptions import ConnectionRefusedError
        assert socketio.AsyncServer is fastsio.AsyncServer is AsyncServer
        for statement in (
            "from socketio import Client", "socketio.AsyncClient", "from socketio import Server",
            "import socketio.client", "engineio.Client", "import engineio.server",
            "from socketio.async_namespace import AsyncClientNamespace",
        ):
            try:
                exec(statement)
            except ImportError as error:
                assert "fastsio-engine[client]" in str(error), (statement, error)
            else:
                raise AssertionError(statement)
        """,
        setup=WITHOUT_PYTHON_SOCKETIO,
    )


def test_a_program_called_socketio_is_not_python_socketio(tmp_path: Path):
    (tmp_path / "socketio.py").write_text("raise SystemExit('this is a program')")
    code = "import fastsio; assert fastsio.install().borrowed is None; import socketio; socketio.AsyncServer"
    run(code, cwd=tmp_path)
