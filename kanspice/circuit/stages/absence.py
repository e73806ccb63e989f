"""A kind of stage that an analysis never meets, because no circuit has it together with what is analysed."""

from __future__ import annotations


def not_among(stage: object, analysed: str) -> TypeError:
    """To be raised where a kind of stage comes by that no compiled circuit of this sort has."""
    return TypeError(f"{type(stage).__name__} is no stage of {analysed}")
