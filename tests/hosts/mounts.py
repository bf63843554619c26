"""The application of the hosts, mounted under a prefix in Starlette and in FastAPI, as their users write it.

May import: the package under test through `hosts.app`. The mode is left to the server, which chooses aiohttp.
"""

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from hosts.app import application, socketio

# The prefix is known to the mount only.
starlette_app = Starlette(routes=[Mount("/ws", socketio.ASGIApp(application(None)))])

# The prefix is given twice, as python-socketio needs it.
fastapi_app = FastAPI()
fastapi_app.mount("/ws", socketio.ASGIApp(application(None), socketio_path="/ws/socket.io"))
