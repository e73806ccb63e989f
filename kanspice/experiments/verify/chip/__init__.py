"""A measured chip beside its network and its circuit, in every report of `verify` that has one."""
