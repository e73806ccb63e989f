"""Reference network + technology -> Design: ordered passes, one file per family; converters; and specimens."""

from kanspice.compile.converters import add_converters
from kanspice.compile.families import Stages, compile_model, compile_nominal, technology_for
from kanspice.compile.kanalogue import compile_kanalogue, technology_for_kanalogue
from kanspice.compile.kirchhoffnet import compile_kirchhoffnet, technology_for_kirchhoffnet
from kanspice.compile.memkan import (
    compile_memkan,
    compile_surrogate,
    technology_for_memkan,
    technology_for_surrogate,
)
from kanspice.compile.phykan import compile_phykan, technology_for_phykan
from kanspice.compile.specimens import draw_specimen

__all__ = [
    "Stages",
    "add_converters",
    "compile_kanalogue",
    "compile_kirchhoffnet",
    "compile_memkan",
    "compile_model",
    "compile_nominal",
    "compile_phykan",
    "compile_surrogate",
    "draw_specimen",
    "technology_for",
    "technology_for_kanalogue",
    "technology_for_kirchhoffnet",
    "technology_for_memkan",
    "technology_for_phykan",
    "technology_for_surrogate",
]
