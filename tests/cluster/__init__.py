"""Clusters: fastsio and python-socketio on one channel."""
