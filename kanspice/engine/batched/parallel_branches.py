"""Branches in the order in which a bank adds them up: those between the same two nodes follow each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Indices
from kanspice.circuit.activations import IDENTITY
from kanspice.circuit.branches import BranchArrays


def oriented(branches: BranchArrays) -> BranchArrays:
    """The same with the lower node first, sorted by nodes, without those that carry nothing or lead nowhere."""
    turned = branches.first > branches.second
    first, second = np.minimum(branches.first, branches.second), np.maximum(branches.first, branches.second)
    alpha = np.where(turned, branches.beta, branches.alpha)
    beta = np.where(turned, branches.alpha, branches.beta)
    weight = np.where(turned, -branches.weight, branches.weight)
    order = np.lexsort((second, first))
    order = order[(first[order] != second[order]) & (weight[order] != 0)]
    return replace(
        branches,
        first=first[order],
        second=second[order],
        alpha=alpha[order],
        beta=beta[order],
        gamma=branches.gamma[order],
        weight=weight[order],
        ratio=branches.ratio[order],
        level=branches.level[order],
    )


def merged(branches: BranchArrays) -> BranchArrays:
    """The same with all linear branches between two nodes made one; others are kept as they are."""
    if branches.activation is not IDENTITY or len(branches.weight) == 0:
        return branches
    starts = starts_of(branches)
    alpha, beta, gamma = (
        np.add.reduceat(branches.weight * part, starts) for part in (branches.alpha, branches.beta, branches.gamma)
    )
    first, second = branches.first[starts], branches.second[starts]
    ones = np.ones(len(starts))
    return replace(
        branches,
        first=first,
        second=second,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        weight=ones,
        ratio=ones,
        level=branches.level[starts],
    )


def starts_of(branches: BranchArrays) -> Indices:
    """Where the branches of the next pair of nodes begin, for branches sorted by nodes."""
    return np.flatnonzero(np.diff(branches.first, prepend=-1) | np.diff(branches.second, prepend=-1))
