"""The application of `served` behind TLS. Takes the port; LOAD_CERTIFICATE names a file with key and certificate."""

import os
import sys

import fastsio
from load.served import app

file = os.environ["LOAD_CERTIFICATE"]
fastsio.run(app, port=int(sys.argv[1]), ssl_keyfile=file, ssl_certfile=file, log_level="warning")
