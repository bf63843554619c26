"""Signatures that differ on purpose: path of the name -> what `parity.test_signatures` says of it, and the decision.

May import: the shape.
"""

from deviations import Deviation

SIGNATURES: dict[str, Deviation] = {}
