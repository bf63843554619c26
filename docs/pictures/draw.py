"""Draw the diagrams of the protocol and architecture pages: python docs/pictures/draw.py.

Each is a list of words here and an SVG beside this file. Colours follow the reader's preference for light or dark.
"""

from html import escape
from pathlib import Path

HERE = Path(__file__).parent
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#222}.m{font:12px ui-monospace,monospace}.l{stroke:#888;fill:none}"
    ".b{fill:#ede7f6;stroke:#7e57c2}.n{fill:#555}@media(prefers-color-scheme:dark){text{fill:#ddd}.n{fill:#aaa}"
    ".b{fill:#2d2440;stroke:#9575cd}}</style>"
)
MARKER = '<defs><marker id="a" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0 0 9 4 0 8z" fill="#888"/></marker></defs>'

# Whose line it is (">" to the server, "<" to the client, "-" a remark), what is said, what it means.
UPGRADE = [
    (">", "GET /socket.io/?EIO=4&transport=polling", "the handshake"),
    ("<", '0{"sid":"…","upgrades":["websocket"],"pingInterval":25000,…}', "open"),
    (">", "POST …&sid=…   40", "join the namespace /"),
    ("<", '40{"sid":"…"}', "in the answer to the next GET: the connect handler has let it in"),
    (">", "GET …&transport=websocket&sid=…   Upgrade: websocket", "a second way is tried"),
    (">", "2probe", "over the WebSocket"),
    ("<", "3probe", "it works; the open GET is answered with 6 (nothing), so that no poll is open"),
    (">", "5", "from here on the WebSocket is used: nothing lost, doubled or reordered"),
    (">", '42["chat message","hello"]', "an event"),
    (">", '427["add",1,2]', "an event that asks for an acknowledgement, number 7"),
    ("<", "437[3]", "the acknowledgement: what the handler returned"),
    ("<", "2", "every 25 s: are you there?"),
    (">", "3", "within 20 s, or the session ends: ping timeout"),
]
REVISION_3 = [
    (">", "GET /socket.io/?EIO=3&transport=polling", "the handshake"),
    ("<", '96:0{"sid":"…","upgrades":["websocket"],…}2:40', "lengths before packets; it has joined / without asking"),
    (">", "GET …&transport=websocket&sid=…   Upgrade: websocket", "the same dance: 2probe, 3probe, 5"),
    (">", '42["chat message","hello"]', "events look the same"),
    (">", "2", "every 25 s; in this revision the client asks"),
    ("<", "3", "and the server answers"),
]
FLOORS = [
    ("application", "your handlers", "def chat_message(sid, text)"),
    ("public floor", "python-socketio's names", "AsyncServer · AsyncNamespace · ASGIApp"),
    ("hub", "who is here, and who hears what", "peers · rooms · handlers · acknowledgements"),
    ("engine", "one session, whatever its transport", "lifecycle · outbox · deadlines · admission"),
    ("bytes", "bytes ⇄ packets; no clock, no loop, no log", "codec · frames · HTTP · JSON · masks"),
    ("net", "the only rooms that touch sockets", "native wire · ASGI · aiohttp · Sanic · Tornado"),
]


def sequence(steps: list[tuple[str, str, str]], title: str) -> str:
    left, right, top, step = 60, 620, 64, 54
    height = top + step * len(steps) + 20
    parts = [
        f'<text x="{left}" y="24" text-anchor="middle">client</text><text x="{right}" y="24" text-anchor="middle">server</text>'
    ]
    parts += [f'<path class="l" d="M{x} 34V{height - 10}"/>' for x in (left, right)]
    for number, (side, said, meaning) in enumerate(steps):
        y = top + step * number
        ends = (left + 2, right - 2) if side == ">" else (right - 2, left + 2)
        parts.append(f'<path class="l" marker-end="url(#a)" d="M{ends[0]} {y}H{ends[1]}"/>')
        parts.append(f'<text class="m" x="{left + 14}" y="{y - 6}">{escape(said)}</text>')
        parts.append(f'<text class="n" x="{left + 14}" y="{y + 16}">{escape(meaning)}</text>')
    return _svg(680, height, title, parts)


def floors(rooms: list[tuple[str, str, str]], title: str) -> str:
    width, step = 680, 70
    parts = []
    for number, (name, what, members) in enumerate(rooms):
        y = 12 + step * number
        parts.append(f'<rect class="b" x="60" y="{y}" width="{width - 120}" height="52" rx="6"/>')
        parts.append(
            f'<text x="76" y="{y + 22}" font-weight="bold">{name}</text><text class="n" x="190" y="{y + 22}">{escape(what)}</text>'
        )
        parts.append(f'<text class="m" x="190" y="{y + 41}">{escape(members)}</text>')
    bottom = 12 + step * len(rooms) - 18
    parts.append(
        f'<path class="l" marker-end="url(#a)" d="M40 {bottom}V14"/><path class="l" marker-end="url(#a)" d="M{width - 40} 14V{bottom}"/>'
    )
    parts.append(
        f'<text class="n" transform="translate(30 {bottom // 2}) rotate(-90)" text-anchor="middle">what clients say</text>'
    )
    parts.append(
        f'<text class="n" transform="translate({width - 24} {bottom // 2}) rotate(90)" text-anchor="middle">what you emit</text>'
    )
    return _svg(width, bottom + 14, title, parts)


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"><title>{escape(title)}</title>'
    return "\n".join([head, STYLE, MARKER, *parts, "</svg>", ""])


PICTURES = {
    "upgrade.svg": sequence(UPGRADE, "A client of today: handshake, upgrade, events, heartbeat"),
    "revision-3.svg": sequence(REVISION_3, "A client of Socket.IO 1 or 2"),
    "floors.svg": floors(FLOORS, "The floors of fastsio"),
}

if __name__ == "__main__":
    for name, text in PICTURES.items():
        (HERE / name).write_text(text)
