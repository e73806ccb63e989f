"""A pytest plugin: the fixture `sim_to_real` measures a gap inside a test and holds it to limits.

pytest loads this module in every run where kanspice is installed, so it imports nothing heavy until a test uses it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kanspice.base.errors import InputError
from kanspice.engine.names import HOMES

if TYPE_CHECKING:
    from kanspice.base.files.array_files import Given
    from kanspice.engine.fidelity import FidelityChoice
    from kanspice.experiments.api.arguments import Limits, Model, Overrides, Tech
    from kanspice.experiments.api.specimens import SpecimenOrFile
    from kanspice.experiments.verify.result import GapResult

_MEASURED: pytest.StashKey[list[GapResult]] = pytest.StashKey()
_WIDTH = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options: they hold for every use of the fixture in a run."""
    group = parser.getgroup("kanspice", "the sim-to-real gap of analogue networks")
    group.addoption(
        "--kanspice-engine",
        choices=tuple(HOMES),
        help="engine of every sim_to_real that names none (default: ngspice)",
    )
    group.addoption(
        "--kanspice-limit", type=_positive, metavar="N", help="measure the first N samples only, for a quick run"
    )
    group.addoption(
        "--kanspice-max",
        action="append",
        default=[],
        metavar="METRIC=VALUE",
        help="what a metric may be at most in every sim_to_real, above what the test says; can be repeated",
    )
    group.addoption(
        "--kanspice-min",
        action="append",
        default=[],
        metavar="METRIC=VALUE",
        help="what a metric has to be at least, likewise",
    )
    group.addoption(
        "--kanspice-report", type=Path, metavar="DIR", help="write HTML and JSON of the gaps of failed tests there"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuses a bad limit before anything runs."""
    largest, smallest = config.getoption("kanspice_max"), config.getoption("kanspice_min")
    if largest or smallest:
        from kanspice.gap.limits import check_fractions, check_ways, parse_limits  # noqa: PLC0415

        try:
            found = parse_limits(largest, "--kanspice-max"), parse_limits(smallest, "--kanspice-min")
            check_ways(*found)
            check_fractions([*found[0], *found[1]])
        except InputError as error:
            raise pytest.UsageError(str(error)) from error


class SimToReal:
    """Measures gaps for one test. Call it; see `__call__`."""

    def __init__(self, config: pytest.Config, measured: list[GapResult]) -> None:
        self._config, self._measured = config, measured

    def __call__(
        self,
        model: Model,
        inputs: Given,
        *,
        labels: Given | None = None,
        targets: Given | None = None,
        reference: Given | None = None,
        measured: Given | None = None,
        config: str | Path | None = None,
        curves: str | Path | None = None,
        tech: Tech = None,
        set: Overrides = (),
        engine: str | None = None,
        device: str = "cpu",
        fidelity: FidelityChoice = "auto",
        cross_check: int | str = 0,
        attribute: bool = False,
        max: Limits = (),
        min: Limits = (),
        limits: str | Path | None = None,
        baseline: str | Path | GapResult | None = None,
        max_growth: str | float | None = None,
        jobs: int = 1,
        timeout: float | None = None,
        seed: int = 0,
        specimen: SpecimenOrFile | None = None,
        waveforms: int = 0,
        check: bool = True,
    ) -> GapResult:
        """The gap of a model's circuit: `kanspice.verify`, with its arguments; the run's options stand above them.

        Fails the test, with the table of the gap, where a sample has no result or a limit is exceeded; with
        `check=False` the test judges the result itself.
        """
        from kanspice.experiments.api.verify import verify  # noqa: PLC0415 - torch takes seconds to import

        option = self._config.getoption
        result = verify(
            model,
            inputs,
            labels=labels,
            targets=targets,
            reference=reference,
            measured=measured,
            limit=option("kanspice_limit"),
            config=config,
            curves=curves,
            tech=tech,
            set=set,
            engine=engine or option("kanspice_engine") or "ngspice",
            device=device,
            fidelity=fidelity,
            cross_check=cross_check,
            attribute=attribute,
            max=_kept(max, option("kanspice_max")),
            min=_kept(min, option("kanspice_min")),
            limits=limits,
            baseline=baseline,
            max_growth=max_growth,
            jobs=jobs,
            timeout=timeout,
            seed=seed,
            specimen=specimen,
            waveforms=waveforms,
        )
        self._measured.append(result)
        if check and not result.passed:
            pytest.fail(f"the sim-to-real gap of {result.model.path}\n\n{_table(result)}", pytrace=False)
        return result


@pytest.fixture
def sim_to_real(request: pytest.FixtureRequest) -> SimToReal:
    """Call it with a model and inputs: `sim_to_real("model.pt", "inputs.npy", max={"relative_rmse": 1e-3})`."""
    measured: list[GapResult] = request.node.stash.setdefault(_MEASURED, [])
    return SimToReal(request.config, measured)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the gaps that a failed test has measured, and writes them where that was asked for."""
    report = yield
    measured = item.stash.get(_MEASURED, [])
    if measured and call.when == "call" and report.failed:
        if "the sim-to-real gap of " not in str(report.longrepr)[:100]:
            report.sections += [(f"gap of {result.model.path}", _table(result)) for result in measured]
        folder: Path | None = item.config.getoption("kanspice_report")
        if folder is not None:
            report.sections.append(("kanspice reports", "\n".join(_written(measured, folder, item.nodeid))))
    return report


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _kept(said: Limits, above: Sequence[str]) -> dict[str, float]:
    """A test's limits, and above them those of the run."""
    from kanspice.experiments.api.arguments import texts_of  # noqa: PLC0415
    from kanspice.gap.limits import parse_limits  # noqa: PLC0415

    return dict(parse_limits([*texts_of(said), *above]))


def _table(result: GapResult) -> str:
    import io  # noqa: PLC0415

    from kanspice.cli.terminal import Terminal  # noqa: PLC0415
    from kanspice.experiments.verify.page import gap_page  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    text = io.StringIO()
    print_page(gap_page(result), Terminal(file=text, width=_WIDTH, no_color=True))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _written(measured: Sequence[GapResult], folder: Path, test: str) -> Iterator[str]:
    """Writes every result of a test; gives the paths."""
    from kanspice.base.files import write_text  # noqa: PLC0415
    from kanspice.experiments.verify.document import to_json  # noqa: PLC0415
    from kanspice.experiments.verify.page import gap_page  # noqa: PLC0415
    from kanspice.report.page_html import page_html  # noqa: PLC0415

    stem = re.sub(r"[^\w.-]+", "_", test).strip("_.")[-150:]
    for place, result in enumerate(measured):
        name = stem if len(measured) == 1 else f"{stem}-{place + 1}"
        for suffix, text in (("html", page_html(gap_page(result))), ("json", to_json(result))):
            path = folder / f"{name}.{suffix}"
            write_text(path, text)
            yield str(path)
