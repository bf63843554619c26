"""The move from polling to WebSocket (contract 2.19), and malformed input on both (2.20)."""

import asyncio

from parity.scenario import scenario
from parity.scenarios.http import joined, served
from parity.stage import Stage
from wire import raw


@scenario("2.19")
async def an_upgrade(stage: Stage) -> None:
    sio = await served(stage)
    ann = await joined(stage, polls=True)
    await ann.upgrade("2probe", "5")
    stage.note("transport", sio.transport(ann.sid))
    await ann.ask("E")
    await sio.emit("news")
    await stage.settle()
    await stage.http("GET", ann.url())
    opened = await raw.open_websocket(stage.port, ann.url("websocket"))
    answer = opened.status if isinstance(opened, raw.Response) else " ".join(map(str, await opened.receive()))
    stage.transcript.add(f"server second {answer}")


@scenario("2.19")
async def messages_while_upgrading(stage: Stage) -> None:
    """What is emitted between the probe and the `5` comes in order, whichever way."""
    sio = await served(stage)
    ann = await joined(stage)
    await sio.emit("n", 1)
    probe = await ann.upgrade("2probe")
    await ann.poll()
    await ann.post('421["E"]')
    stage.note("transport", sio.transport(ann.sid))
    await probe.send("5")
    ann.stop_reading()
    ann.socket = probe
    ann._reader = asyncio.create_task(ann._read(probe))
    await stage.settle()
    await sio.emit("n", 2)
    await sio.emit("n", b"\x03")
    await stage.settle()


FRAMES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "no_probe": ("5",),
    "wrong_probe": ("2abc",),
    "a_message": ('42["E"]',),
    "twice": ("2probe", "2probe"),
    "unparsable": ("zzz",),
    "unparsable_after_probe": ("2probe", "zzz"),
}


@scenario("2.19", FRAMES)
async def upgrades_that_fail(stage: Stage, frames: tuple[str, ...]) -> None:
    """The WebSocket is left or closed; the session goes on polling."""
    sio = await served(stage)
    ann = await joined(stage)
    probe = await raw.websocket(stage.port, ann.url("websocket"))
    for frame in frames:
        await probe.send(frame)
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.005)
    probe.abort()
    await asyncio.sleep(0.01)
    stage.note("transport", sio.transport(ann.sid))
    await sio.emit("still polling")
    await ann.poll(0.1)
    if not any("still polling" in line for line in stage.transcript.lines):
        await ann.poll(0.1)
    await ann.post('421["E"]')
    await ann.poll(0.1)


# --- malformed packets over WebSocket (2.20)

PACKETS: dict[str, tuple[str | bytes, ...]] = {
    "invalid_json": ('42["E"',),
    "payload_is_no_list": ('42{"a":1}',),
    "payload_is_text": ('42"E"',),
    "no_payload": ("42",),
    "unknown_type": ('47["E"]',),
    "connect_error": ('44{"message":"m"}',),
    "ack_without_list": ('431{"a":1}',),
    "ack_without_payload": ("431",),
    "no_socketio_packet": ("4",),
    "no_digit": ("4hello",),
    "event_elsewhere": ('42/x,["E"]',),
    "binary_elsewhere": ('451-/x,["E",{"_placeholder":true,"num":0}]', b"\x01"),
    "binary_unexpected": (b"\x01",),
    "text_for_an_attachment": ('451-["E",{"_placeholder":true,"num":0}]', '42["E",2]'),
    "no_attachments": ('450-["E",1]',),
    "no_attachment_count": ('45["E",1]',),
    "placeholder_out_of_range": ('451-["E",{"_placeholder":true,"num":3}]', b"\x01"),
    "attachments_of_eleven_digits": ('4512345678901-["E"]',),
    "long_id": ("42" + "9" * 101 + '["E"]',),
    "id_of_100_digits": ("42" + "9" * 100 + '["E"]',),
    "long_integer": ('42["E",' + "9" * 101 + "]",),
    "long_integer_within_bounds": ('42["E",' + "9" * 100 + "]",),
    "unknown_ack": ("4399[1]",),
    "garbage": ("zzz",),
    "empty_frame": ("",),
    "client_ping": ("2",),
    "client_open": ("0",),
    "client_noop": ("6",),
    "upgrade_out_of_place": ("5",),
    "type_7": ("7",),
    "namespace_without_comma": ('42/x["E"]',),
    "disconnect_elsewhere": ("41/x,",),
}


@scenario("2.20", PACKETS)
async def malformed_packets(stage: Stage, frames: tuple[str | bytes, ...]) -> None:
    """A bad packet, then a good one."""
    await served(stage)
    ann = await stage.guest("ann")
    await ann.send(*frames)
    await ann.ask("E", "good")


@scenario("2.20")
async def binary_events(stage: Stage) -> None:
    await served(stage)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    await ann.send('452-7["E",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]', b"\x01", b"")
    await ann.send('451-["E",{"_placeholder":true,"num":0}]', "bAQI=")
    await bob.send('451-7["E",{"_placeholder":true,"num":0}]', "bAQI=")


@scenario("2.20")
async def a_client_leaves_within_a_binary_event(stage: Stage) -> None:
    sio = await served(stage)
    ann = await stage.guest("ann")
    await ann.send('452-["E",{"_placeholder":true,"num":0}]', b"\x01")
    await ann.leave()
    stage.note("left", dict(sio.manager.rooms))


@scenario("2.20")
async def malformed_in_the_middle_of_a_post(stage: Stage) -> None:
    await served(stage)
    ann = await joined(stage, polls=True)
    await ann.send('421["E"]', '42["E"', '422["E"]')


@scenario("2.20")
async def logs_of_malformed_packets(stage: Stage) -> None:
    """Each of these is seen by the operator as a warning at least."""
    await served(stage)
    ann = await stage.guest("ann")
    await ann.send("4399[1]")
    stage.logs()
    await ann.send("41")
    await ann.send('42["E"]')
    stage.logs()
