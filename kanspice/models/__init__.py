"""What all reference networks have in common: following them, training them, reading their files and arrays."""

from kanspice.models.arrays import load_array, load_labels

__all__ = ["load_array", "load_labels"]
