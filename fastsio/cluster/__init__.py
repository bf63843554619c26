"""What nodes of a cluster tell each other, and how a node stays in touch with its broker.

May import: `serial`, `errors`. Never knows rooms, clients or a particular broker.
"""
