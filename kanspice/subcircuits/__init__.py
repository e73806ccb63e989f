"""Parts that come as netlists: subcircuits from strangers, inspected, and the transistors of open processes."""
