"""A NiceGUI page with one label that a timer changes: `nicegui_app.py PORT`, with TICK seconds between the changes."""

import os
import sys

from nicegui import ui


@ui.page("/")
def page() -> None:
    label = ui.label("0")
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        label.text = f"tick {ticks}"

    ui.timer(float(os.environ["TICK"]), tick)


ui.run(host="127.0.0.1", port=int(sys.argv[1]), reload=False, show=False)
