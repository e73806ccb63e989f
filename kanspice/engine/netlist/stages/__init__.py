"""The kinds of stages of operating points as netlists: one file for each kind, written on a `Sheet`."""
