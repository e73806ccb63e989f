"""Drawings that stand for parts of circuits: paths of SVG in a field of 48 by 32."""

from __future__ import annotations

SYMBOLS = {
    "box": "M6 6h36v20h-36z",
    "input": "M4 16h28m-8-8 8 8-8 8M40 4v24",
    "output": "M8 4v24M16 16h28m-8-8 8 8-8 8",
    "limiter": "M6 27h36M10 30v-28M6 27h12L30 8h12",
    "driver": "M4 16h10M14 4v24l22-12zM36 16h8",
    "crossbar": "M4 8h40M4 16h40M4 24h40M12 2v28M24 2v28M36 2v28M10.5 6.5l3 3M22.500 14.500l3 3M34.500 22.500l3 3",
    "norm": "M6 28h36M8 28c8 0 8-22 16-22s8 22 16 22M24 6v22",
    "filter": "M6 28h36M6 26c8 0 8-18 14-18h8c6 0 6 18 14 18",
    "synapse": "M4 16h10M14 8v16l14-8zM28 8v16M28 16h16M36 16v6M32 22h8M32 26h8M36 26v4",
    "average": "M6 4l18 12M6 28l18-12M6 16h36M24 13a3 3 0 1 0 .01 0",
    "tiles": "M4 4h16v10h-16zM28 4h16v10h-16zM4 18h16v10h-16zM28 18h16v10h-16zM4 9h16M28 9h16M4 23h16M28 23h16M12 4v10"
    "M36 4v10M12 18v10M36 18v10",
    "period": "M12 6a3 3 0 1 0 .01 0M36 6a3 3 0 1 0 .01 0M24 20a3 3 0 1 0 .01 0M15 9h18M14 11l8 10M34 11l-8 10M4 9h5",
    "sum": "M24 5a11 11 0 1 0 .01 0M24 9v14M17 16h14M2 16h11M35 16h11",
    "digital": "M8 4h32v24h-32zM15 11h4v10h-4zM29 11l3-1v11M28 21h8",
}
"""By name; "box" for what has none."""
