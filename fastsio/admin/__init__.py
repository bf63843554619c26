"""What stands behind `AsyncServer.instrument()`: observing, describing, and telling the Socket.IO Admin UI.

May import: nothing above; bears the name that python-socketio has for `EventBuffer`. Never runs while no admin watches.
"""

from fastsio.admin.reports import EventBuffer

__all__ = ["EventBuffer"]
