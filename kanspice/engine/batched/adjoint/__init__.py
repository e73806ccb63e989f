"""Exact gradients of what the batched engine solves for: one file for each kind of implicit equation."""
