"""The families of networks: each a folder with its network, its checkpoints, its authors' files and its circuit.

A family is one record, `Family`, in its folder's `family.py`, and one line of `table.FAMILIES`.
"""

from kanspice.families.compiling import (
    Compiled,
    compile_both,
    compile_macro_model,
    compile_model,
    compile_nominal,
    is_sized_by_samples,
    sizing_for,
    technology_for,
)
from kanspice.families.loading import LoadedModel, load
from kanspice.families.saving import save
from kanspice.families.table import FAMILIES, families, family_of

__all__ = [
    "FAMILIES",
    "Compiled",
    "LoadedModel",
    "compile_both",
    "compile_macro_model",
    "compile_model",
    "compile_nominal",
    "families",
    "family_of",
    "is_sized_by_samples",
    "load",
    "save",
    "sizing_for",
    "technology_for",
]
