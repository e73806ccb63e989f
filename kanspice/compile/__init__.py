"""Reference network + technology -> Design: an ordered list of passes, one file per family."""

from kanspice.compile.kanalogue import compile_kanalogue

__all__ = ["compile_kanalogue"]
