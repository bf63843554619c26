"""The whole table: every deviation of every kind, as `kind:what` -> entry.

May import: the parts. Rules are entries whose `becomes` is the function that changes a line or an answer.
"""

from deviations import Deviation, applications, hosts, parity, signatures, vectors, wire


def _rules(kind: str, rules: dict[object, str]) -> dict[str, Deviation]:
    return {f"{kind}:{getattr(rule, '__name__', rule)}": Deviation(rule, decision) for rule, decision in rules.items()}


INDEX: dict[str, Deviation] = (
    {f"vector:{what}": entry for what, entry in vectors.CODEC.items()}
    | {f"http_exchanges:{what}": entry for what, entry in wire.HTTP.items()}
    | {f"ws_sessions:{what}": entry for what, entry in wire.SESSIONS.items()}
    | {f"application:{': '.join(what)}": entry for what, entry in applications.APPLICATIONS.items()}
    | {f"host:{what}": entry for what, entry in hosts.HOSTS.items()}
    | {f"parity:{what}": entry for what, entry in parity.PARITY.items()}
    | {f"signature:{what}": entry for what, entry in signatures.SIGNATURES.items()}
    | _rules("rule of http_exchanges", {**wire.HTTP_RULES})
    | _rules("rule of applications", {**applications.RULES})
    | _rules("rule of parity", {**parity.RULES})
)
