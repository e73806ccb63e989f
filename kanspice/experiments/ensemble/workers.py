"""Who measures: processes of this machine, or the workers of a Dask cluster. Results come as they finish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from kanspice.base.errors import InputError, SimulatorError
from kanspice.experiments.ensemble.pool import pooled
from kanspice.experiments.ensemble.specimens import Done, Setup, Specimen, measured

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 4
"""Draws that wait at every worker, so that none of them ever waits for us."""
_PATIENCE_S = 30


@dataclass(frozen=True)
class Work:
    """One specimen that has to be measured."""

    setup: Setup
    specimen: Specimen


Workers = Callable[[Sequence[Work]], Generator[Done, None, None]]


def local(jobs: int) -> Workers:
    """So many processes of this machine; none but this one for 1."""

    def found(work: Sequence[Work]) -> Generator[Done, None, None]:
        if jobs == 1:
            return (measured(each.setup, each.specimen) for each in work)
        setups = {each.specimen.point: each.setup for each in work}
        return pooled(jobs, setups, [each.specimen for each in work])

    return found


def cluster(address: str) -> Workers:
    """The workers of a Dask scheduler. Raises InputError where Dask is not there, SimulatorError where they are not."""
    if find_spec("distributed") is None:
        raise InputError("Dask is not installed", where="--scheduler", hint="pip install 'kanspice[dask]'")

    def found(work: Sequence[Work]) -> Generator[Done, None, None]:
        with _without_logs(), _client(address) as client:
            yield from _gathered(client, work)

    return found


@contextmanager
def _without_logs() -> Iterator[None]:
    """Within it Dask logs nothing: what became of a lost cluster is one message of ours, not its tracebacks."""
    import distributed  # noqa: F401, PLC0415 - an extra, which makes its loggers

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _client(address: str) -> Client:
    from distributed import Client  # noqa: PLC0415 - an extra

    try:
        client = Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        problem = "no Dask scheduler answers"
        raise SimulatorError(problem, where=f"--scheduler {address}", found=str(error)) from error
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
        _check_versions(client)
    except TimeoutError as error:
        client.close()
        raise SimulatorError("the cluster has no workers", where=f"--scheduler {address}", found=str(error)) from error
    except BaseException:
        client.close()
        raise
    return client


def _check_versions(client: Client) -> None:
    ours = version("kanspice")
    for worker, theirs in client.run(version, "kanspice").items():
        if theirs != ours:
            found = f"{theirs} at {worker}"
            raise InputError("a worker has another kanspice", where="--scheduler", expected=ours, found=found)


def _gathered(client: Client, work: Sequence[Work]) -> Iterator[Done]:
    """Every setup travels once; a few draws are always under way for each worker, more would only fill memory."""
    from distributed import as_completed  # noqa: PLC0415 - an extra

    sent: dict[int, Future] = {}

    def submitted(each: Work) -> Future:
        point = each.specimen.point
        if point not in sent:
            sent.clear()
            sent[point] = client.scatter(each.setup, hash=False)
        return client.submit(measured, sent[point], each.specimen, pure=False)

    left = iter(work)
    threads = max(1, sum(client.nthreads().values()))
    waiting = as_completed(map(submitted, islice(left, _AHEAD * threads)), loop=client.loop)
    for future in waiting:
        try:
            result: Any = future.result()
        except Exception as error:
            raise SimulatorError("a worker of the cluster failed", found=f"{type(error).__name__}: {error}") from error
        waiting.update(list(map(submitted, islice(left, 1))))
        yield result
