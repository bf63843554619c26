"""`AsyncServer.instrument()`: what admins hear and may do, what it costs, and the real page in a browser."""
