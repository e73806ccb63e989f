"""The import rules: data flows one way, each dangerous or heavy thing has one room, and some things have none.

The tables are the documentation; a new module of the package is added to ROOMS, or the test says that it has no place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "kanspice"

# Left to right: a room imports only from rooms above it in this list (and from itself).
ROOMS = (
    "processes",  # what must not outlive us
    "visible",  # text from strangers, made safe to show
    "errors",  # the one tree of errors
    "files",  # reading what others wrote, writing results
    "spice_numbers",  # numbers as SPICE writes them
    "arrays",  # what the arrays of all libraries have
    "process_memory",  # how much a process has held
    "resources",  # where the shipped files lie
    "stopwatch",  # how long parts of work take
    "validation",  # a table from a file, checked
    "limits",  # what metrics may be
    "piecewise",  # currents of many branches at once
    "devices",  # cards and curves
    "models",  # what reference networks have in common: following, training, reading files
    "networks",  # the families in torch and in files: their folders without circuit.py and family.py
    "draws",  # random numbers by name
    "technology",  # circuit-level choices and imperfections
    "design",  # the frozen intermediate representation
    "compile",  # what all families' circuits have in common: sizes, converters, specimens
    "circuits",  # the families as circuits: circuit.py of each; reference + technology -> Design
    "families",  # the table of the families, loading and compiling whatever is in it
    "engine",  # what an engine is: options, progress, fidelities, solutions, what is accepted; which there are
    "solver",  # engine: the batched solver
    "netlist",  # Design -> netlist
    "ngspice",  # engine: the simulator
    "gap",  # Solution against reference
    "report",  # a gap, rendered
    "circuit_folder",  # the folder that compile writes
    "evidence",  # the samples, and what is known of their answers
    "facts",  # what a report says of model and circuit
    "measured",  # what one simulation amounts to
    "pipeline",  # load, compile, simulate, compare, in order
    "settle",  # how fast a circuit answers
    "study",  # many runs of the pipeline
    "control",  # closed loops: plants, and network and circuit that control them
    "doctor",  # what is installed
    "__init__",  # the public API
    "cli",  # the command line
    "pytest_plugin",  # the same in a pytest run
)

# A family's network and its circuit are two rooms, so that the reference shares nothing with the design.
FILES_OF_A_FAMILY = {"circuit": "circuits", "family": "families"}

# Outside library -> the only rooms that may import it, lazily or not. The longest matching name counts.
ONLY_IN = {
    "torch": {"devices", "models", "networks", "families", "solver"},
    "torchdiffeq": {"models", "solver", "networks"},
    "subprocess": {"processes", "ngspice"},
    "multiprocessing": {"study"},
    "ctypes": set(),
    "cffi": set(),
    "pty": set(),
    "pickle": {"models"},  # for the name of the error that torch.load raises; nothing of it is called
    "pickle.load": set(),
    "pickle.loads": set(),
    "pickle.Unpickler": set(),
    "cloudpickle": set(),
    "dill": set(),
    "marshal": set(),
    "shelve": set(),
}

# Calls that start a process, hence only in ngspice/; a name that ends in * is a beginning.
PROCESS_CALLS = ("os.system", "os.popen", "os.exec*", "os.spawn*", "os.posix_spawn*", "os.fork*")

# Calls and arguments that run somebody else's code: nowhere.
FORBIDDEN_CALLS = (
    "eval",
    "exec",
    "__import__",
    "pickle.*",
    "sympify",
    "sympy.sympify",
    "parse_expr",
    "sympy.parse_expr",
)
FORBIDDEN_ARGUMENTS = (("shell", True), ("weights_only", False), ("allow_pickle", True))
# The default of torch.load depends on the version, so it is never relied on.
DEMANDED_ARGUMENTS = {"torch.load": ("weights_only", True)}


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, the room it is in, and its syntax tree."""

    name: str
    room: str
    tree: ast.Module

    def at(self, node: ast.AST, problem: str) -> str:
        return f"{self.name}, line {getattr(node, 'lineno', '?')}: {problem}"


@cache
def read_modules(package: Path) -> list[Module]:
    return [_read(path, package) for path in sorted(package.rglob("*.py")) if "_shipped" not in path.parts]


def _read(path: Path, package: Path) -> Module:
    parts = path.relative_to(package).with_suffix("").parts
    dotted = ".".join(["kanspice", *(part for part in parts if part != "__init__")])
    return Module(dotted, room_of(dotted), ast.parse(path.read_text(encoding="utf-8"), str(path)))


def imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import, at any depth, as full dotted names; `from a import b` gives `a.b`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            prefix = base if node.level == 0 else f"<relative>.{base}"
            yield from ((node, f"{prefix}.{alias.name}") for alias in node.names)


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call of a plain dotted name, such as `os.system`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def room_of(dotted: str) -> str:
    """The room that `kanspice.room.module.name` names; the public API where it names none."""
    parts = dotted.split(".")
    if len(parts) < 2:
        return "__init__"
    if parts[1] == "families" and len(parts) > 3 and not parts[3].isupper():
        return FILES_OF_A_FAMILY.get(parts[3], "networks")
    return parts[1]


def library_rule(imported: str) -> str | None:
    """The longest entry of ONLY_IN that `imported` falls under."""
    fitting = [name for name in ONLY_IN if imported == name or imported.startswith(name + ".")]
    return max(fitting, key=len, default=None)


def matches(called: str, patterns: tuple[str, ...]) -> bool:
    return any(called.startswith(p[:-1]) if p.endswith("*") else called == p for p in patterns)


# --- the rules: each yields one line for every breach ---


def breaches_of_order(module: Module) -> Iterator[str]:
    if module.room not in ROOMS:
        yield f"{module.name}: has no place in ROOMS: say what it may import by adding it"
        return
    for node, imported in imports(module):
        if imported.startswith("<relative>"):
            yield module.at(node, "relative import: write the full name, so that the arrow can be read")
        elif imported.split(".")[0] == "kanspice":
            target = room_of(imported) if room_of(imported) in ROOMS else "__init__"
            if ROOMS.index(target) > ROOMS.index(module.room):
                yield module.at(node, f"{module.room} imports {imported}, which is to its right")


def breaches_of_place(module: Module) -> Iterator[str]:
    for node, imported in imports(module):
        rule = library_rule(imported)
        if rule is not None and module.room not in ONLY_IN[rule]:
            rooms = ", ".join(sorted(ONLY_IN[rule])) or "no room"
            yield module.at(node, f"imports {imported}, which belongs in: {rooms}")
    for node, called in calls(module):
        if module.room != "ngspice" and matches(called, PROCESS_CALLS):
            yield module.at(node, f"calls {called}, which belongs in: ngspice")


def breaches_of_safety(module: Module) -> Iterator[str]:
    for node, called in calls(module):
        if matches(called, FORBIDDEN_CALLS):
            yield module.at(node, f"calls {called}")
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        for argument, value in FORBIDDEN_ARGUMENTS:
            if given.get(argument) == repr(value):
                yield module.at(node, f"calls {called} with {argument}={value}")
        if called in DEMANDED_ARGUMENTS:
            argument, value = DEMANDED_ARGUMENTS[called]
            if given.get(argument) != repr(value):
                yield module.at(node, f"calls {called} without {argument}={value}")


RULES = [breaches_of_order, breaches_of_place, breaches_of_safety]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps(rule):
    modules = read_modules(PACKAGE)
    assert modules
    assert [breach for module in modules for breach in rule(module)] == []


# --- the rules themselves ---


@pytest.mark.parametrize(
    ("room", "source", "breach"),
    [
        ("devices", "from kanspice.models import load", "devices imports kanspice.models.load, which is to its right"),
        ("gap", "import kanspice.cli.main", "to its right"),
        ("gap", "from kanspice import report", "gap imports kanspice.report"),
        ("gap", "def f():\n    import kanspice", "gap imports kanspice, which"),
        ("gap", "from . import metrics", "relative import"),
        ("extras", "", "has no place in ROOMS"),
        (
            "compile",
            "def f():\n    import torch",
            "torch, which belongs in: devices, families, models, networks, solver",
        ),
        ("compile", "if TYPE_CHECKING:\n    from torch import Tensor", "imports torch.Tensor"),
        ("study", "import subprocess", "belongs in: ngspice"),
        ("study", "from os import path\nos.execvp('a', [])", "line 2: calls os.execvp"),
        ("ngspice", "import ctypes", "belongs in: no room"),
        ("ngspice", "from multiprocessing import Pool", "belongs in: study"),
        ("devices", "import pickle", "belongs in: models"),
        ("models", "from pickle import loads", "belongs in: no room"),
        ("models", "import pickle\npickle.loads(data)", "line 2: calls pickle.loads"),
        ("models", "torch.load(path)", "calls torch.load without weights_only=True"),
        ("models", "load(path, weights_only=False)", "weights_only=False"),
        ("models", "np.load(path, allow_pickle=True)", "allow_pickle=True"),
        ("ngspice", "subprocess.run('ls', shell=True)", "shell=True"),
        ("devices", "eval('1')", "calls eval"),
        ("devices", "sympy.sympify(text)", "calls sympy.sympify"),
    ],
)
def test_a_breach_is_found_and_named(room, source, breach):
    module = Module(f"kanspice.{room}", room, ast.parse(source))
    found = [line for rule in RULES for line in rule(module)]
    assert len(found) >= 1
    assert breach in "\n".join(found)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("gap", "from kanspice.engine.solution import Solution"),
        ("gap", "from kanspice.gap.metrics import rmse"),
        ("cli", "import kanspice\nfrom kanspice import load, report"),
        ("models", "import torch\nmodel.eval()\ntorch.load(path, weights_only=True)"),
        ("models", "import pickle\ntry:\n    pass\nexcept pickle.UnpicklingError:\n    pass"),
        ("solver", "from torch import Tensor"),
        ("ngspice", "import subprocess\nfrom subprocess import run"),
    ],
)
def test_what_is_allowed_is_not_a_breach(room, source):
    module = Module(f"kanspice.{room}", room, ast.parse(source))
    assert [line for rule in RULES for line in rule(module)] == []
