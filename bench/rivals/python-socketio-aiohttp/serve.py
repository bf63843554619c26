"""Hosts the shared Python application on aiohttp's own server, under uvloop. Takes the port."""

import sys

import uvloop
from aiohttp import web
from app import sio

application = web.Application()
sio.attach(application)
web.run_app(
    application, host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), access_log=None, print=None
)
