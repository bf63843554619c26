"""WebSocket conformance: Autobahn's cases, run by kosoku against `fastsio.testing.ws_echo`."""
