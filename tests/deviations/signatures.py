"""Signatures that differ on purpose: path of the name -> what `parity.test_signatures` says of it, and the decision.

May import: the shape.
"""

from deviations import Deviation

SIGNATURES: dict[str, Deviation] = {
    "socketio.msgpack_packet.MsgPackPacket.ext_hook": Deviation(
        ["not a class: function js_extension"],
        "The extension types of the official parser are read; any function or class may take their place.",
    ),
}
