"""What all reference networks have in common: following them, training them, reading their files and arrays."""

from kanspice.base.files.array_files import load_array, load_labels

__all__ = ["load_array", "load_labels"]
