"""The sizes of the papers' largest networks, whose data or weights cannot be had, and a study over a cluster."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from distributed import LocalCluster

import kanspice
from benchmarks.papers.circuits import drawn_in, second_opinion
from benchmarks.papers.robustness import block_of
from benchmarks.papers.rows import Row, Rows, Setting
from kanspice.base.process_memory import peak_bytes
from kanspice.devices import load_device
from kanspice.families.common.network import Network
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.kirchhoffnet.branches import ShiftRelu1
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Mixed

SIZES = ("784-256-10", "3072-1024-256-10")
SAMPLES, SPECIMENS, OF_A_SPECIMEN, IMAGES = 20, 100, 2, 2
_OF_LINES = {"seconds", "sha256"}
"""Of a line of the journal: how long its draw took, and the line's own checksum."""
MISMATCH = ("tia.gain=1000", "devices.area_sigma=0.05")


def rows(setting: Setting) -> Rows:
    """Each size in a process of its own, whose memory is then its."""
    for size in SIZES[:1] if setting.quick else SIZES:
        for name, set_ in (("ideal", ()), ("gain 1000, areas 5 %", MISMATCH)):
            yield f"KANalogue {size}; {name}", partial(_alone, _samples, size, set_)
        yield f"KANalogue {size}; specimens", partial(_alone, _specimens, size, setting.part(SPECIMENS))
    if not setting.quick:
        yield "KirchhoffNet CIFAR-10; ideal", partial(_alone, _kirchhoffnet)
        yield "KirchhoffNet CIFAR-10; judge", partial(_alone, _judged)
    yield "Dask", partial(_clusters, setting)


def on_device(device: str, setting: Setting) -> Rows:
    """The largest rows on a GPU, or with torch's tensors on the processor, by its name: cuda, cuda:1, torch."""
    for size in SIZES[:1] if setting.quick else SIZES:
        name = f"KANalogue {size}; gain 1000, areas 5 %; {device}"
        yield name, partial(_alone, _samples, size, MISMATCH, device)
    if not setting.quick:
        yield f"KirchhoffNet CIFAR-10; ideal; {device}", partial(_alone, _kirchhoffnet, device)


def _alone(work: Callable[..., Row], *given: object) -> Row:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def _samples(size: str, set_: Sequence[str], device: str = "cpu") -> Row:
    """Random weights; the time of a further sample is that of many less that of one, over the rest. Seconds are those
    of the processor, or where a GPU works, of the wall clock."""
    torch.set_num_threads(1)
    model, inputs = _random(size)
    _verified(model, inputs[:1], set_, device=device)  # compiles what is compiled once
    one, many = (_verified(model, inputs[:count], set_, device=device) for count in (1, SAMPLES))
    clock = "wall_s" if device.startswith("cuda") else "processor_s"
    further = (many[clock] - one[clock]) / (SAMPLES - 1)
    return (
        many
        | {"device": device, "first_sample_s": one[clock], "further_sample_s": further}
        | {"peak_bytes": peak_bytes()}
    )


def _specimens(size: str, count: int) -> Row:
    """The spread of specimens' gaps, and what one takes with drawing its devices and two samples."""
    torch.set_num_threads(1)
    model, inputs = _random(size)
    begin = time.process_time()
    gaps = [_verified(model, inputs[:OF_A_SPECIMEN], MISMATCH, seed)["relative_rmse"] for seed in range(count)]
    spent = (time.process_time() - begin) / count
    spread = {"smallest": min(gaps), "median": float(np.median(gaps)), "largest": max(gaps)}
    return {
        "specimens": count,
        "samples": OF_A_SPECIMEN,
        "specimen_s": spent,
        "gap": spread,
        "peak_bytes": peak_bytes(),
    }


def _random(size: str) -> tuple[Network, np.ndarray]:
    torch.manual_seed(0)
    widths = tuple(map(int, size.split("-")))
    model = KANalogue(widths, [load_device(name) for name in ("z21", "z15", "zaz21")]).eval()
    return model, np.random.default_rng(0).random((SAMPLES, widths[0]))


def _verified(model: Network, inputs: np.ndarray, set_: Sequence[str], seed: int = 0, device: str = "cpu") -> Row:
    begin, wall = time.process_time(), time.monotonic()
    result = kanspice.verify(model, inputs, set=set_, engine="batched", seed=seed, device=device)
    return {
        "devices": result.design.devices,
        "samples": len(inputs),
        "failed_samples": len(result.failed),
        "relative_rmse": result.gap.relative_rmse,
        "numerical_error": None if result.numerical is None else result.numerical.relative_rmse,
        "processor_s": time.process_time() - begin,
        "wall_s": time.monotonic() - wall,
    }


def _kirchhoffnet(device: str = "cpu") -> Row:
    torch.set_num_threads(1)
    model, inputs = _of_cifar()
    return _verified(model, inputs, (), device=device) | {
        "device": device,
        "peak_bytes": peak_bytes(),
        "branches": sum(layer.topology.edges for layer in model.layers),
    }


def _judged() -> Row:
    """One sample: of the simulators, VACASK takes least for a KirchhoffNet."""
    torch.set_num_threads(1)
    model, inputs = _of_cifar()
    return second_opinion(model, inputs[:1], "ideal", "vacask")


def _of_cifar() -> tuple[KirchhoffNet, np.ndarray]:
    """The authors' configuration for CIFAR-10 and SVHN with random weights: three layers of 2,054,018 branches."""
    torch.manual_seed(0)
    topology = Mixed(num_channel=3, width=32, height=32, neighbor_size=4, fully_connect_node=50).build()
    model = KirchhoffNet([topology] * 3, [0.6] * 3, ShiftRelu1(), input_width=3 * 32 * 32, readout="last10").eval()
    return model, np.random.default_rng(0).random((IMAGES, 3 * 32 * 32))


def _clusters(setting: Setting) -> Row:
    """A block of the robustness study by two processes of joblib and by two workers of Dask: the same bytes."""
    found: dict[str, dict] = {}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        for name, how in (("joblib", {"jobs": 2}), ("dask", {"scheduler": cluster.scheduler_address})):
            folder, wall = setting.folder / "clusters" / name, time.monotonic()
            block_of(64, "binary", 0, setting, folder, trials=setting.part(200), **how)
            found[name] = {"wall_s": time.monotonic() - wall, "sha256": _results(drawn_in(folder, setting.part(200)))}
    return {"draws": setting.part(200), "same_bytes": found["joblib"]["sha256"] == found["dask"]["sha256"]} | found


def _results(study: Path) -> str:
    """Of every draw as the journal keeps it, whichever ended first and however long it took."""
    records = [json.loads(line) for line in (study / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    measured = [{key: value for key, value in record.items() if key not in _OF_LINES} for record in records]
    draws = sorted(json.dumps(record, sort_keys=True) for record in measured)
    return hashlib.sha256("\n".join(draws).encode()).hexdigest()
