"""The folder that `kanspice compile` writes, and its tables of elements: one file for each kind of stage with some."""

from kanspice.experiments.compile.folder import MANIFEST, CompiledFolder, read_compiled, write_compiled

__all__ = ["MANIFEST", "CompiledFolder", "read_compiled", "write_compiled"]
