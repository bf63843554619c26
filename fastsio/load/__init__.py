"""The load generator behind `fastsio bench`: many clients of any Socket.IO server, from one thread.

May import: within this folder only; `application`, which is the server to try it on, imports the public floor.
Never: shares code with the server. What is measured must not be checked by itself.
"""
