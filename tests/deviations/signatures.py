"""Signatures that differ on purpose: path of the name -> what `parity.test_signatures` says of it, and the decision.

May import: the shape.
"""

from deviations import Deviation

NO_SEQUENCE = "Session ids are 120 random bits, without the sequence number that python-engineio mixes in."

SIGNATURES: dict[str, Deviation] = {
    "engineio.async_server.AsyncServer.sequence_number": Deviation(["missing: sequence_number"], NO_SEQUENCE),
    "engineio.base_server.BaseServer.sequence_number": Deviation(["missing: sequence_number"], NO_SEQUENCE),
    "socketio.async_pubsub_manager.AsyncPubSubManager._listen": Deviation(
        ["coroutine function: False"],
        "`_listen` gives an asynchronous iterator, as every override of it does; the base only raises.",
    ),
    "socketio.msgpack_packet.MsgPackPacket.ext_hook": Deviation(
        ["not a class: function js_extension"],
        "The extension types of the official parser are read; any function or class may take their place.",
    ),
}
