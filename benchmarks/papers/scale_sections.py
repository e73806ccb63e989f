"""The page's sections on the papers' largest networks, and on studies over a cluster."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.papers import scale
from benchmarks.papers.markdown import NOTHING, ROWS, command, many, seconds, small, table

_GB = 1e9


def largest(rows: ROWS) -> list[str]:
    """Time and memory of the sizes whose data or weights cannot be had."""
    lines = [
        "## The largest networks: time and memory",
        "",
        "CIFAR-10 and SVHN are not to be had here, nor are the weights that were trained on them: these are the "
        "papers' sizes with random weights. Seconds of the processor, one thread; of the wall clock on a GPU. The gap "
        "is the relative RMSE of one specimen; random weights make it large. Ideal crossbars show rounding, the ideal "
        "KirchhoffNet its integration's tolerance. The KirchhoffNet is that of the authors' configuration file, three "
        "periods of 0.6, where the paper's text has four of 0.5.",
        "",
        *command("scale"),
    ]
    header = ["network", "circuit", "on", "devices", "first sample", "a further one", "memory, GB", "gap"]
    body = [_row(name, row) for name, row in rows.items() if "devices" in row]
    return [*lines, *table(header, body, text=3), *_judged(rows), *_specimens(rows), *_clusters(rows)]


def _row(name: str, row: Mapping) -> list[str]:
    network, circuit, *_ = name.split("; ")
    if "first_sample_s" in row:
        first, further = seconds(row["first_sample_s"]), seconds(row["further_sample_s"])
    else:
        first, further = NOTHING, f"{seconds(row['processor_s'] / row['samples'])} (mean of {row['samples']})"
    memory = f"{row['peak_bytes'] / _GB:.2f}"
    device = row.get("device", "cpu")
    return [network, circuit, device, many(row["devices"]), first, further, memory, small(row["relative_rmse"])]


def _judged(rows: ROWS) -> list[str]:
    row = rows.get("KirchhoffNet CIFAR-10; judge")
    if row is None:
        return []
    agrees = "agrees" if row["agrees"] else "does NOT agree"
    return [
        f"One sample of the KirchhoffNet in VACASK, with the batched engine's: {seconds(row['wall_s'])} of the wall "
        f"clock, beside other work. It {agrees}: the largest difference of an output is {small(row['difference'])} of "
        "their standard deviation.",
        "",
    ]


def _specimens(rows: ROWS) -> list[str]:
    lines = []
    for size in scale.SIZES:
        row = rows.get(f"KANalogue {size}; specimens")
        if row is not None:
            gap = row["gap"]
            lines.append(
                f"{size}: {row['specimens']} specimens with areas off by 5 % and amplifiers of gain 1,000, "
                f"{row['samples']} samples each, beside other work: {seconds(row['specimen_s'])} of the processor a "
                f"specimen, gaps from {small(gap['smallest'])} to {small(gap['largest'])}, {small(gap['median'])} in "
                "the middle."
            )
            lines.append("")
    return lines


def in_ngspice(found: Mapping) -> list[str]:
    """From what `benchmarks.sizes` measured."""
    told = [
        f"{size} in {seconds(row['ngspice_s'])} with {row['ngspice_peak_bytes'] / _GB:.1f} GB, "
        f"{small(row['ngspice_error'])} from torch"
        for size, row in found["rows"].items()
    ]
    return [
        f"ngspice solves a first sample of the ideal circuits ([performance](performance.md)): {'; '.join(told)}.",
        "",
    ]


def _clusters(rows: ROWS) -> list[str]:
    row = rows.get("Dask")
    if row is None:
        return []
    same = "the same to the last byte" if row["same_bytes"] else "NOT the same"
    return [
        f"A study of {row['draws']} chips at each error of areas, by two processes of joblib "
        f"({seconds(row['joblib']['wall_s'])} of the wall clock, beside other work) and by two workers of Dask "
        f"({seconds(row['dask']['wall_s'])}): their draws are {same}.",
        "",
    ]
