"""Deviations of parity: What applications reach into.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs

PART: dict[str, Deviation] = {}

differs(
    PART,
    "defect 14",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
ann < 1
ann close 1000
server disconnect '$1', 'server disconnect'
server left 1, 1
""",
    "engine_disconnects_one",
)
