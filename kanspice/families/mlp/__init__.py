"""Multilayer perceptrons: linear layers, norms, and activations that may be devices' curves."""
