"""Recorded and hand-written conversations in bytes, held with a live server over real sockets."""
