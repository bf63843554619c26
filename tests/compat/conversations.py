"""The three scripted conversations, one for each application.

May import: `transcript`. Never the server, nor python-socketio's.
"""

from compat.transcript import TOO_LATE, Guest, Transcript

POLL = "/socket.io/?EIO=4&transport=polling"


async def rooms(transcript: Transcript) -> None:
    """Talk to `app_rooms`."""
    ann, bob = Guest(transcript, "ann"), Guest(transcript, "bob")
    await ann.connect()
    await ann.settle()
    await bob.connect(transport="upgrade")
    await bob.settle()
    await ann.emit("my event", {"data": "hello é 😀"})
    await ann.emit("my broadcast event", {"data": [1, 2.5, None, True, {"deep": ["x"]}]})
    await bob.emit("join", {"room": "one"})
    await ann.emit("my room event", {"room": "one", "data": "for room one"})
    await ann.emit("join", {"room": "one"})
    await ann.emit("join", {"room": "two"})
    await bob.emit("to several", ["one", "two"])
    await ann.call("who is where")
    await bob.call("who is where")
    await bob.emit("leave", {"room": "one"})
    await ann.emit("close room", {"room": "one"})
    await ann.emit("my room event", {"room": "one", "data": "nobody hears this"})
    await bob.emit("start ticking")
    await ann.emit("nobody handles this", 1)
    await bob.emit("disconnect request")
    await ann.leave()
    cat = Guest(transcript, "cat")
    await cat.connect(transport="polling")
    await cat.call("farewells")
    await cat.leave()
    await transcript.http("GET", POLL, Origin="http://app.example")
    await transcript.http("GET", POLL, Origin="http://evil.example")
    await transcript.http("GET", POLL)
    await transcript.http("OPTIONS", POLL, Origin="http://app.example", Access_Control_Request_Headers="x-a")
    await transcript.http("GET", "/socket.io/?EIO=3&transport=abc")
    await transcript.http("GET", "/socket.io/?transport=polling")
    await transcript.http("GET", f"{POLL}&sid=unknown")
    await transcript.http("POST", POLL)
    await transcript.http("PUT", POLL)
    await transcript.http("GET", "/socket.io/?EIO=4&transport=websocket")
    await transcript.http("GET", "/elsewhere")


async def fiddle(transcript: Transcript) -> None:
    """Talk to `app_fiddle`."""
    ann, bob = Guest(transcript, "ann"), Guest(transcript, "bob")
    await ann.connect(auth={"token": "abc"})
    await ann.settle()
    await bob.connect(transport="polling")
    await bob.settle()
    await ann.call("state_of_environ")
    await ann.call("made up", (1, "two", {"three": 3}))
    await ann.call("no arguments")
    await transcript.http("POST", "/announce?text=news")
    await ann.settle()
    await bob.leave()
    for path in ("/", "/docs/note.txt", "/docs/style.css", "/docs/", "/plain", "/docs/../fiddle.html", "/docs/none"):
        await transcript.http("GET", path)
    await transcript.http("GET", "/hello")
    await transcript.http("GET", "/not/found")
    await ann.leave()


async def classes(transcript: Transcript) -> None:
    """Talk to `app_classes`."""
    path = "live/socket.io"
    for auth in (None, {"token": "old"}, {"token": "odd"}):
        refused = Guest(transcript, "refused")
        await refused.connect(path, namespaces=["/shop"], auth=auth)
        await refused.leave()
    ann = Guest(transcript, "ann", {"address": ["Street", 1], "question": ("yes", 2)})
    bob = Guest(transcript, "bob", {"never answered": TOO_LATE})
    await ann.connect(path, namespaces=["/", "/shop"], auth={"token": "new", "name": "Ann"})
    await bob.connect(path, transport="polling", namespaces=["/shop", "/open"], auth={"token": "new", "name": "Bob"})
    await ann.call("put", "apple", "/shop")
    await ann.call("put", "pear", "/shop")
    await bob.call("basket", namespace="/shop")
    await ann.call("basket", namespace="/shop")
    await ann.call("order", namespace="/shop")
    await bob.call("order_slowly", namespace="/shop")
    await ann.emit("ask_all", namespace="/shop")
    await bob.emit("tell_others", "hello", "/shop")
    await ann.call("picture", b"\x00\x01\xfe\xff", "/shop")
    await bob.call("picture", b"\x00\x01\xfe\xff", "/shop")
    await ann.call("nothing", namespace="/shop")
    await ann.call("crash", namespace="/shop")
    await ann.call("nothing", namespace="/shop")
    await bob.call("ping_me", 7, "/open")
    await bob.emit("leave", namespace="/shop")
    await ann.settle()
    await ann.leave()
    await bob.leave()
    await transcript.http("GET", "/live/socket.io/?EIO=4&transport=polling", Origin="http://any.example")
    await transcript.http("GET", "/socket.io/?EIO=4&transport=polling")


async def board(transcript: Transcript) -> None:
    """Talk to `app_board`."""
    ann, bob = Guest(transcript, "ann"), Guest(transcript, "bob")
    await ann.connect()
    await ann.settle()
    await bob.connect(transport="upgrade")
    await bob.settle()
    for _ in range(2):
        await ann.emit("round trip")
    await bob.emit("round trip")
    await ann.emit("pin for me", {"text": "private", "number": 1})
    await bob.emit("pin up", {"text": "for all", "number": 2})
    await ann.emit("enter corner", "sport")
    await bob.emit("enter corner", "sport")
    await bob.emit("enter corner", "music")
    await ann.emit("tell corner", {"corner": "sport", "text": "2:1"})
    await ann.emit("leave corner", "sport")
    await ann.emit("tell corner", {"corner": "sport", "text": "3:1"})
    await bob.emit("clear corner", "sport")
    await bob.emit("tell corner", {"corner": "sport", "text": "nobody"})
    await bob.emit("tell corner", {"corner": "music", "text": "la"})
    await bob.emit("show me out")
    await ann.call("reasons")
    await ann.leave()
    await ann.connect(transport="polling")
    await ann.call("reasons")
    await ann.leave()
    for path in ("/", "/index.html", "/other", "/socket.io?EIO=4&transport=polling&sid=unknown", "/socket.iox"):
        await transcript.http("GET", path)
    await transcript.http("GET", POLL, Origin="http://127.0.0.1")
    await transcript.http("GET", POLL, Origin="http://evil.example")


async def litestar(transcript: Transcript) -> None:
    """Talk to `app_litestar`."""
    ann, bob = Guest(transcript, "ann"), Guest(transcript, "bob")
    await ann.connect(auth={"token": "abc"})
    await ann.settle()
    await bob.connect(transport="upgrade")
    await bob.settle()
    await ann.call("twice", 21)
    await bob.call("twice", 4)
    await transcript.http("POST", "/announce?text=news")
    await ann.settle()
    await bob.leave()
    await transcript.http("GET", "/state")
    await transcript.http("GET", "/not/found")
    await transcript.http("GET", "/announce")
    await transcript.http("GET", POLL)
    await ann.call("twice", 1)
    await ann.leave()
    await transcript.http("GET", "/state")
    for transport in ("polling", "websocket"):
        cat = Guest(transcript, "cat")
        await cat.connect(transport=transport)
        await cat.call("twice", 0.5)
        await cat.leave()
    await transcript.http("GET", "/state")
