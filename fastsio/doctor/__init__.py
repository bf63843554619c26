"""`fastsio doctor`: connects to a Socket.IO server of any make as a browser would, and says what is wrong on the way.

May import: the standard library, and this folder.
Never: shares code with the server. What is checked must not be checked by itself.
"""
