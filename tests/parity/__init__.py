"""Parity: the same small applications and clients on python-socketio and on this server, line by line the same."""
