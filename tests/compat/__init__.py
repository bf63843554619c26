"""Proof that applications written for python-socketio run here unchanged: same clients, same transcript."""
