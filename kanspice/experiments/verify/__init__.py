"""One circuit against its network: follow, compile, solve, check, attribute, measure."""
