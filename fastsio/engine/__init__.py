"""Floor 1: one session, whatever transports it uses. Sans-IO: time is an argument, sockets are somebody else's."""
