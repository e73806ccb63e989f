"""The circuit as a torch module: its answers are the batched engine's, its gradients exact."""

from kanspice.nn.module import CircuitModule as Circuit

__all__ = ["Circuit"]
