"""An EdgeKAN has no circuit: its functions are no device's. What has one is its projection onto devices."""

from __future__ import annotations

from typing import NoReturn

from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.compile import Sizing
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.technology import Technology


def technology_for_edgekan(_model: EdgeKAN, _technology: Technology) -> Technology:
    """Raises InputError: there is none."""
    _refuse()


def compile_edgekan(_model: EdgeKAN, _technology: Technology, _sizing: Sizing | None = None) -> Design:
    """Raises InputError: there is none."""
    _refuse()


def _refuse() -> NoReturn:
    raise InputError(
        "a KAN of learnt functions has no circuit until they are made of devices",
        expected="a network of devices",
        found="splines, polynomials or functions by name on its edges",
        hint="kanspice project MODEL --inputs X --devices a21,z21,z15,zaz21 -o OUT.pt, then use OUT.pt",
    )
