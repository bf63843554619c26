"""For pytest: the fixture `sio_client`. Asked for with ``pytest_plugins = ["fastsio.testing.plugin"]`` in a conftest.

May import: `client`. Works with every way of running asynchronous tests, since it waits for nothing itself.
"""

from typing import Any

import pytest

from fastsio.testing.client import client


@pytest.fixture
def sio_client() -> Any:
    """Give `fastsio.testing.client`: ``async with sio_client(sio, auth=...) as anna:``."""
    return client
