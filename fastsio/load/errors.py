"""What ends a load run before its time, and what a person can do about it.

May import: nothing. Never: formats for a terminal; `command` does.
"""


class LoadError(Exception):
    """The run cannot go on.

    Attributes:
        hint: what to try, one sentence or more; empty when the message says it all.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
