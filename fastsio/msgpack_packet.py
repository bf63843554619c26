"""Socket.IO packets as MessagePack maps, for applications that configure them (python-socketio's `msgpack_packet`).

May import: `packet`, `serial`. Needs the package msgpack.
"""

from collections.abc import Callable
from typing import Any

try:
    import msgpack
except ImportError as exc:
    raise ImportError('MessagePack needs the package msgpack: pip install "fastsio-engine[msgpack]"') from exc

from fastsio.packet import Packet
from fastsio.serial import MsgPack, js_extension


class MsgPackPacket(Packet):
    """One Socket.IO packet as socket.io-msgpack-parser writes it: one binary message, bytes inline."""

    uses_binary_events = False
    dumps_default: Callable[[Any], Any] | None = None
    ext_hook: Callable[[int, bytes], Any] = staticmethod(js_extension)

    @classmethod
    def configure(
        cls,
        dumps_default: Callable[[Any], Any] | None = None,
        ext_hook: Callable[[int, bytes], Any] = msgpack.ExtType,
    ) -> type["MsgPackPacket"]:
        """Give a packet class with hooks of the application, to be used as `serializer=`.

        Args:
            dumps_default: gives something that MessagePack has for an object that it has not.
            ext_hook: reads an extension type, from its code and its bytes.
        """
        hooks = {"dumps_default": dumps_default and staticmethod(dumps_default), "ext_hook": staticmethod(ext_hook)}
        return type("CustomMsgPackPacket", (MsgPackPacket,), hooks)

    @classmethod
    def plain_packer(cls) -> MsgPack | None:
        """Give what does all the work of this class; None when a subclass does some of it itself."""
        is_plain = cls.encode is MsgPackPacket.encode and cls.decode is MsgPackPacket.decode
        return cls.packer() if is_plain and cls.__init__ is Packet.__init__ else None

    @classmethod
    def packer(cls) -> MsgPack:
        """Give what writes and reads whole packets with the hooks of this class."""
        return MsgPack(cls.dumps_default, cls.ext_hook)

    def encode(self) -> bytes:
        return self.packer().encode(self.packet_type, self.namespace, self.id, self.data)

    def decode(self, encoded_packet: bytes) -> int:
        """Read a packet.

        Raises:
            ValueError: the bytes are not one MessagePack map.
            KeyError: the map has no type or namespace.
        """
        packet = self.packer().decode(encoded_packet)
        self.packet_type = packet["type"]
        self.namespace = packet["nsp"]
        self.data = packet.get("data")
        self.id = packet.get("id")
        return 0
