"""Hosts the shared Python application on aiohttp's own server, under uvloop. Takes the port, and a certificate for TLS."""

import ssl
import sys

import uvloop
from aiohttp import web
from app import sio

application = web.Application()
sio.attach(application)
context = None
if len(sys.argv) > 2:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2])
web.run_app(
    application,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop=uvloop.new_event_loop(),
    ssl_context=context,
    access_log=None,
    print=None,
)
