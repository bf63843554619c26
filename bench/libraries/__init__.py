"""What libraries of other people cost their servers, with python-socketio and with fastsio under them."""
