"""Reference network + technology -> Design: an ordered list of passes, one file per family, and converters."""

from kanspice.compile.converters import add_converters
from kanspice.compile.kanalogue import compile_kanalogue
from kanspice.compile.kirchhoffnet import compile_kirchhoffnet

__all__ = ["add_converters", "compile_kanalogue", "compile_kirchhoffnet"]
