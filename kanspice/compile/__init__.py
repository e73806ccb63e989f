"""Reference network + technology -> Design: an ordered list of passes, one file per family."""

from kanspice.compile.kanalogue import compile_kanalogue
from kanspice.compile.kirchhoffnet import compile_kirchhoffnet

__all__ = ["compile_kanalogue", "compile_kirchhoffnet"]
