"""Rows and columns of a crossbar as chains of nodes, each with conductances of its own to elsewhere, solved at once.

All chains of all samples are one tridiagonal matrix whose parts do not touch.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dgtsv

from kanspice.base.arrays import Array


def chained(diagonal: Array, siemens: Array, right: Array) -> Array:
    """Voltages (samples, chains, nodes) of chains into whose nodes the currents `right`, of the same shape, flow.

    diagonal: likewise, of everything at a node but the chain itself. siemens: (nodes - 1,) between neighbours.
    """
    beside = np.append(siemens, 0.0)
    whole = diagonal + (beside + np.append(0.0, siemens))
    off = np.broadcast_to(-beside, diagonal.shape).ravel()[:-1]
    *_, solution, info = dgtsv(off, whole.ravel(), off, right.ravel())
    return np.asarray(solution).reshape(right.shape) if info == 0 else np.full(right.shape, np.nan)
