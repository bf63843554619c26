"""What the garbage collector looks at in a process that serves.

May import: the collector's rules, the census of `leaks`.
"""

import gc
import json
from collections.abc import Sequence
from urllib.request import urlopen

import pytest

from fastsio.net.collecting import THRESHOLDS
from wire.live import REFERENCE, Server

MODULES = 10_000  # container objects that an application has at the very least


@pytest.mark.skipif(REFERENCE is not None, reason="it is the command's")
@pytest.mark.parametrize("options", [(), ("--full-gc", "60")])
def test_the_command_freezes_what_stays(options: Sequence[str]) -> None:
    server = Server("native", "leaks.app:plain", options=options)
    try:
        with urlopen(f"http://127.0.0.1:{server.port}/census", timeout=30) as answer:
            census = json.loads(answer.read())
    finally:
        server.stop()
    assert census["frozen"] > MODULES
    assert census["middle generations"] == (THRESHOLDS[2] if options else gc.get_threshold()[2])
