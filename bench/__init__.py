"""Measurements: load on whole servers (`python -m bench`) and pieces in process (`bench/micro`).

May import: nothing of fastsio; it is measured from outside, like everybody else.
"""
