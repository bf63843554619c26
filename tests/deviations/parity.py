"""Parity scenarios whose transcript differs on purpose: scenario -> the transcript here, and the decision.

May import: the shape, and the parts by chapter. A transcript is what `python -m parity --here <name>` prints; before it is
compared, the rules are applied to the lines of python-socketio, and a scenario that only they change needs no entry.
"""

import re

from deviations import (
    Deviation,
    Rule,
    parity_applications,
    parity_connecting,
    parity_emitting,
    parity_events,
    parity_http,
    parity_inside,
    parity_leaving,
    parity_serializing,
    parity_upgrading,
)

PARITY: dict[str, Deviation] = (
    parity_applications.PART
    | parity_connecting.PART
    | parity_emitting.PART
    | parity_events.PART
    | parity_http.PART
    | parity_inside.PART
    | parity_leaving.PART
    | parity_serializing.PART
    | parity_upgrading.PART
)


def vary(line: str) -> str:
    """Caches must not give one origin's answer to another, so `Vary: Origin` goes with each echoed origin."""
    if "allow-origin: " not in line:
        return line
    head, mark, body = line.partition("] ")
    return f"{head}; vary: Origin{mark}{body}"


def ok(line: str) -> str:
    """The answer to a POST is `ok`, the official word; the official test suites compare it."""
    return re.sub(r"^(\w+ POST .*)\bOK$", r"\1ok", line)


def unknown_namespace(line: str) -> str:
    """A refused namespace is answered with an object: a text is shown as an empty message by JavaScript clients."""
    return line.replace('"Unable to connect"', '{"message":"Invalid namespace"}')


RULES: dict[Rule, str] = {rule: str(rule.__doc__) for rule in (vary, ok, unknown_namespace)}
