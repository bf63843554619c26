"""Parity scenarios whose transcript differs on purpose: (scenario, line of python-socketio) -> the lines here.

May import: the shape. Lines are those of `parity.run.transcript_of`.
"""

from deviations import Deviation, Rule

PARITY: dict[tuple[str, str], Deviation] = {}
RULES: dict[Rule, str] = {}
