"""A NiceGUI page with live parts, written as its users write theirs: it knows of no server below.

Usage: `python -m browser.nicegui_app PORT`; under `fastsio patch` the same command runs on fastsio.
"""

import sys

import socketio
from nicegui import events, ui

TICK = 0.1  # s


@ui.page("/")
def page() -> None:
    ticks = clicks = 0
    ui.label(socketio.AsyncServer.__module__.split(".")[0]).props('id="made"')
    count = ui.label("0").props('id="count"')
    clicked = ui.label("0").props('id="clicked"')
    received = ui.label("-").props('id="received"')
    echo = ui.label("").props('id="echo"')
    log = ui.log().props('id="log"')
    ui.input("text").props('id="text"').bind_value_to(echo, "text")

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        count.text = str(ticks)
        log.push(f"tick {ticks}")

    def click() -> None:
        nonlocal clicks
        clicks += 1
        clicked.text = str(clicks)
        ui.notify(f"click {clicks}")

    async def upload(event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        received.text = f"{event.file.name} {len(content)} {sum(content)}"

    ui.button("Click", on_click=click).props('id="button"')
    ui.upload(on_upload=upload, auto_upload=True)
    ui.timer(TICK, tick)


ui.run(host="127.0.0.1", port=int(sys.argv[1]), reload=False, show=False, reconnect_timeout=10)
