"""Who measures: this machine's cores through joblib, or the workers of a Dask cluster. Results come as they finish."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from kanspice.errors import InputError, SimulatorError
from kanspice.study.specimens import Bench, DrawResult, measure

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 4
"""Draws that wait at every worker, so that none of them ever waits for us."""
_PATIENCE_S = 30
_IDLE_S = 30
"""After which a process without work ends."""
_WATCH_S = 1.0
"""How often a process looks whether the study that it works for is still there: it outlives it by no more."""


@dataclass(frozen=True)
class Work:
    """One draw that has to be measured."""

    bench: Bench
    trial: int
    seed: int


Workers = Callable[[Sequence[Work]], Iterator[DrawResult]]


def local(jobs: int) -> Workers:
    """So many processes of this machine; none but this one for 1."""

    def measured(work: Sequence[Work]) -> Iterator[DrawResult]:
        from joblib import Parallel, delayed  # noqa: PLC0415 - a study on a cluster does not need it
        from joblib.externals.loky.process_executor import TerminatedWorkerError  # noqa: PLC0415

        if jobs == 1:
            yield from (measure(each.bench, each.trial, each.seed) for each in work)
            return
        parallel = Parallel(
            n_jobs=jobs,
            return_as="generator_unordered",
            pre_dispatch=_AHEAD * jobs,
            batch_size=1,
            max_nbytes=None,
            idle_worker_timeout=_IDLE_S,
            initializer=_begin,
            initargs=(os.getpid(), _Benches({each.bench.point: each.bench for each in work})),
        )
        tasks = (delayed(_measure_at)(each.bench.point, each.trial, each.seed) for each in work)
        try:
            with warnings.catch_warnings(), closing(parallel(tasks)) as found:
                # What was under way when we are interrupted is done again.
                warnings.filterwarnings("ignore", message=".* tasks .*", module="joblib")
                yield from found
        except TerminatedWorkerError as error:
            raise SimulatorError(
                "a worker process ended by itself", found=str(error).splitlines()[0], hint="fewer --jobs: memory?"
            ) from error

    return measured


@dataclass(frozen=True, eq=False)
class _Benches:
    """Every point's bench: sent to a process once, when it begins, and not with every draw."""

    at: Mapping[int, Bench]


_benches = _Benches({})
"""Of this process, if it is one that was begun to measure."""


def _begin(study: int, benches: _Benches) -> None:
    global _benches  # noqa: PLW0603 - what a process is begun with has nowhere else to wait for its draws
    _benches = benches
    _end_with(study)


def _measure_at(point: int, trial: int, seed: int) -> DrawResult:
    return measure(_benches.at[point], trial, seed)


def _end_with(study: int) -> None:
    """Lets this process end when the study's does: waiting for work, it would not see that nobody is left to send any.

    It holds the other end of the pipe that it reads from.
    """

    def watch() -> None:
        while os.getppid() == study:
            time.sleep(_WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, name="end with the study", daemon=True).start()


def cluster(address: str) -> Workers:
    """The workers of a Dask scheduler. Raises InputError where Dask is not there, SimulatorError where they are not."""
    if find_spec("distributed") is None:
        raise InputError("Dask is not installed", where="--scheduler", hint="pip install 'kanspice[dask]'")

    def measured(work: Sequence[Work]) -> Iterator[DrawResult]:
        with _client(address) as client:
            yield from _gathered(client, work)

    return measured


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


def _gathered(client: Client, work: Sequence[Work]) -> Iterator[DrawResult]:
    """Every bench travels once; a few draws are always under way for each worker, more would only fill memory."""
    from distributed import as_completed  # noqa: PLC0415 - an extra

    sent: dict[int, Future] = {}

    def submitted(each: Work) -> Future:
        if each.bench.point not in sent:
            sent.clear()
            sent[each.bench.point] = client.scatter(each.bench, hash=False)
        return client.submit(measure, sent[each.bench.point], each.trial, each.seed, pure=False)

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
