"""The import rules: data flows one way, each dangerous or heavy thing has one room, and some things have none.

The tables are the documentation; a new module of the package is added to ROOMS, or the test says that it has no place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "kanspice"

# Left to right: a folder imports only from folders before it in this list. `ls kanspice` is the data flow.
FOLDERS = (
    "base",  # what knows nothing of networks and circuits
    "devices",  # cards and curves
    "subcircuits",  # parts that come as netlists: from strangers, or of a process's transistors
    "technology",  # circuit-level choices and imperfections
    "circuit",  # the circuit as frozen arrays, and its specimens
    "families",  # the families of networks, and the circuits made of them
    "engine",  # what solves a circuit
    "nn",  # a circuit as a torch module
    "gap",  # Solution against reference
    "report",  # results, rendered
    "experiments",  # what is done with a circuit
    "__init__",  # the public API
    "cli",  # the command line, and the same in a pytest run
    "__main__",  # `python -m kanspice`, which is the command line
)

# Within and across them: a room imports only from rooms above it in this list (and from itself).
ROOMS = (
    "base.processes",  # what must not outlive us
    "base.visible",  # text from strangers, made safe to show
    "base.errors",  # the one tree of errors
    "base.files",  # reading what others wrote, writing results
    "base.quantities",  # numbers with their units, as engineers read them
    "base.spice_numbers",  # numbers as SPICE writes them
    "base.arrays",  # what the arrays of all libraries have
    "base.traced",  # what carries torch's graph through code for NumPy
    "base.compiled",  # functions of arrays in machine code
    "base.process_memory",  # how much a process has held
    "base.resources",  # where the shipped files lie
    "base.stopwatch",  # how long parts of work take
    "base.threads",  # how many threads linear algebra takes
    "base.validation",  # a table from a file, checked
    "base.piecewise_loops",  # what is added up for the next, in machine code
    "base.piecewise",  # currents of many branches at once
    "base.draws",  # random numbers by name
    "base",
    "devices",
    "subcircuits",  # netlists from elsewhere, inspected, and the models of open processes
    "families.common",  # what reference networks have in common: following, training, reading files
    "networks",  # the families in torch and in files: their folders without circuit.py and family.py
    "technology",
    "circuit",  # the frozen intermediate representation
    "circuit.compile",  # what all families' circuits have in common: sizes, units, converters
    "circuit.specimens",  # a nominal circuit -> one that differs from it as fabrication lets it
    "circuits",  # the families as circuits: circuit.py of each; reference + technology -> Design
    "families",  # the table of the families, loading and compiling whatever is in it
    "engine",  # what an engine is: options, progress, fidelities, solutions, what is accepted; which there are
    "engine.batched",  # the batched solver
    "engine.netlist",  # Design -> netlist
    "engine.simulators",  # what engines that are other people's programs have in common
    "engine.ngspice",  # the simulator
    "engine.vacask",  # another one, in whose own language designs are written
    "nn",  # the circuit as a torch module, with the batched engine's answers and exact gradients
    "gap",
    "report",
    "experiments.export",  # a compiled circuit in other simulators' languages, and whether they find the same
    "experiments.compile",  # the folder that compile writes
    "experiments.simulate",  # a compiled circuit's answers, without a network
    "experiments.ensemble",  # many specimens of a circuit, whatever is measured of them
    "experiments",  # what all of them know: samples, facts of model and circuit, what one simulation amounts to
    "experiments.verify",  # one circuit against its network
    "experiments.compare",  # two results of it
    "experiments.history",  # many, one after the other
    "experiments.trial",  # what a device would do in small networks
    "experiments.project",  # learnt edges made of devices
    "experiments.study",  # the gaps of many specimens
    "experiments.lifetime",  # chips followed through their lives
    "experiments.tune",  # networks trained through their circuits
    "experiments.identify",  # which chip was measured
    "experiments.calibrate",  # what to set on it
    "experiments.sensitivity",  # which random parts matter, and the worst specimen
    "experiments.settle",  # how fast a circuit answers
    "experiments.characterise",  # what operational amplifiers do
    "experiments.control",  # closed loops: plants, and network and circuit that control them
    "experiments.api",  # every command as a function
    "__init__",
    "cli",
    "__main__",
)

# A family's network and its circuit are two rooms, so that the reference shares nothing with the design.
FILES_OF_A_FAMILY = {"circuit": "circuits", "family": "families"}

# Room -> what it may not import, though it is to its left.
NOT_IN = {
    "gap": (
        "engine.batched",
        "engine.netlist",
        "engine.simulators",
        "engine.ngspice",
        "engine.vacask",
    ),  # it judges what an engine found, and runs none
    "report": ("engine.batched", "engine.netlist", "engine.simulators", "engine.ngspice", "engine.vacask"),
    "engine.vacask": ("engine.ngspice",),  # each simulator by itself
}

# Outside library -> the only rooms that may import it, lazily or not. The longest matching name counts.
ONLY_IN = {
    "torch": {"base.traced", "nn", "devices", "families.common", "networks", "families", "engine.batched"},
    "torchdiffeq": {"families.common", "engine.batched", "networks"},
    "numba": {"base.compiled"},
    "subprocess": {"base.processes", "engine.simulators", "engine.ngspice"},
    "multiprocessing": {"experiments.ensemble"},
    "ctypes": set(),
    "cffi": set(),
    "pty": set(),
    "pickle": {"families.common"},  # for the name of the error that torch.load raises; nothing of it is called
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
    room: str | None
    tree: ast.Module

    def at(self, node: ast.AST, problem: str) -> str:
        return f"{self.name}, line {getattr(node, 'lineno', '?')}: {problem}"

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[tuple[ast.stmt, str]]:
        """Every import, at any depth, as full dotted names; `from a import b` gives `a.b`."""
        return list(_imports(self.nodes))

    @cached_property
    def calls(self) -> list[tuple[ast.Call, str]]:
        """Every call of a plain dotted name, such as `os.system`."""
        return [(node, ast.unparse(node.func)) for node in self.nodes if isinstance(node, ast.Call)]


@cache
def read_modules(package: Path) -> list[Module]:
    return [_read(path, package) for path in sorted(package.rglob("*.py")) if "_shipped" not in path.parts]


def _read(path: Path, package: Path) -> Module:
    parts = path.relative_to(package).with_suffix("").parts
    dotted = ".".join(["kanspice", *(part for part in parts if part != "__init__")])
    return Module(dotted, room_of(dotted), ast.parse(path.read_text(encoding="utf-8"), str(path)))


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[ast.stmt, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            prefix = base if node.level == 0 else f"<relative>.{base}"
            yield from ((node, f"{prefix}.{alias.name}") for alias in node.names)


def folder_of(dotted: str) -> str:
    """The folder that `kanspice.folder.module.name` lies in; the public API where it names none."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FOLDERS else "__init__"


def room_of(dotted: str) -> str | None:
    """The room that `kanspice.room.module.name` names; None for a folder that has no place."""
    parts = dotted.split(".")[1:]
    if len(parts) > 2 and parts[0] == "families" and parts[1] != "common" and not parts[2].isupper():
        return FILES_OF_A_FAMILY.get(parts[2], "networks")
    if not parts:
        return "__init__"
    named = (".".join(parts[:length]) for length in (2, 1))
    return next((room for room in named if room in ROOMS), None)


def library_rule(imported: str) -> str | None:
    """The longest entry of ONLY_IN that `imported` falls under."""
    fitting = [name for name in ONLY_IN if imported == name or imported.startswith(name + ".")]
    return max(fitting, key=len, default=None)


def matches(called: str, patterns: tuple[str, ...]) -> bool:
    return any(called.startswith(p[:-1]) if p.endswith("*") else called == p for p in patterns)


# --- the rules: each yields one line for every breach ---


def breaches_of_order(module: Module) -> Iterator[str]:
    if module.room is None:
        yield f"{module.name}: has no place in ROOMS: say what it may import by adding it"
        return
    for node, imported in module.imports:
        if imported.startswith("<relative>"):
            yield module.at(node, "relative import: write the full name, so that the arrow can be read")
        elif imported.split(".")[0] == "kanspice":
            if ROOMS.index(room_of(imported) or "__init__") > ROOMS.index(module.room):
                yield module.at(node, f"{module.room} imports {imported}, which is to its right")
            if FOLDERS.index(folder_of(imported)) > FOLDERS.index(folder_of(module.name)):
                yield module.at(node, f"{folder_of(module.name)}/ imports {imported}, which is to its right")
            if room_of(imported) in NOT_IN.get(module.room, ()):
                yield module.at(node, f"{module.room} imports {imported}, which is not for it")


def breaches_of_place(module: Module) -> Iterator[str]:
    for node, imported in module.imports:
        rule = library_rule(imported)
        if rule is not None and module.room not in ONLY_IN[rule]:
            rooms = ", ".join(sorted(ONLY_IN[rule])) or "no room"
            yield module.at(node, f"imports {imported}, which belongs in: {rooms}")
    for node, called in module.calls:
        if module.room != "engine.ngspice" and matches(called, PROCESS_CALLS):
            yield module.at(node, f"calls {called}, which belongs in: engine.ngspice")


def breaches_of_safety(module: Module) -> Iterator[str]:
    for node, called in module.calls:
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


def test_the_top_level_is_the_data_flow_and_nothing_else():
    inside = {path.stem for path in PACKAGE.iterdir()} - {"__pycache__", "_shipped", "py"}
    assert inside == set(FOLDERS)
    assert len(inside - {"__main__"}) <= 13


def test_a_name_means_one_thing():
    """Of public classes. Families have their own, whose folders say whose they are."""
    found = [
        (node.name, module.name)
        for module in read_modules(PACKAGE)
        if not module.name.startswith("kanspice.families")
        for node in module.nodes
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    names = [name for name, _ in found]
    assert [each for each in found if names.count(each[0]) > 1] == []


# --- the rules themselves ---


@pytest.mark.parametrize(
    ("room", "source", "breach"),
    [
        (
            "devices",
            "from kanspice.families.common import load",
            "devices imports kanspice.families.common.load, which is to its right",
        ),
        ("gap", "import kanspice.cli.main", "to its right"),
        ("gap", "from kanspice import report", "gap imports kanspice.report"),
        ("gap", "def f():\n    import kanspice", "gap imports kanspice, which"),
        ("gap", "from . import metrics", "relative import"),
        ("gap", "from kanspice.engine.batched.periods import ideal_end_v", "gap imports kanspice.engine.batched"),
        ("extras", "", "has no place in ROOMS"),
        (
            "circuit.compile",
            "def f():\n    import torch",
            "torch, which belongs in: base.traced, devices, engine.batched, families, families.common, networks, nn",
        ),
        ("circuit.compile", "if TYPE_CHECKING:\n    from torch import Tensor", "imports torch.Tensor"),
        ("experiments.study", "import subprocess", "belongs in: base.processes, engine.ngspice, engine.simulators"),
        ("experiments.study", "from os import path\nos.execvp('a', [])", "line 2: calls os.execvp"),
        ("engine.ngspice", "import ctypes", "belongs in: no room"),
        ("engine.ngspice", "from multiprocessing import Pool", "belongs in: experiments.ensemble"),
        ("devices", "import pickle", "belongs in: families.common"),
        ("families.common", "from pickle import loads", "belongs in: no room"),
        ("families.common", "import pickle\npickle.loads(data)", "line 2: calls pickle.loads"),
        ("families.common", "torch.load(path)", "calls torch.load without weights_only=True"),
        ("families.common", "load(path, weights_only=False)", "weights_only=False"),
        ("families.common", "np.load(path, allow_pickle=True)", "allow_pickle=True"),
        ("engine.ngspice", "subprocess.run('ls', shell=True)", "shell=True"),
        ("devices", "eval('1')", "calls eval"),
        ("devices", "sympy.sympify(text)", "calls sympy.sympify"),
    ],
)
def test_a_breach_is_found_and_named(room, source, breach):
    module = Module(f"kanspice.{room}", room_of(f"kanspice.{room}"), ast.parse(source))
    found = [line for rule in RULES for line in rule(module)]
    assert len(found) >= 1
    assert breach in "\n".join(found)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("gap", "from kanspice.engine.solution import Solution"),
        ("gap", "from kanspice.gap.metrics import rmse"),
        ("cli", "import kanspice\nfrom kanspice import load, report"),
        ("families.common", "import torch\nmodel.eval()\ntorch.load(path, weights_only=True)"),
        ("families.common", "import pickle\ntry:\n    pass\nexcept pickle.UnpicklingError:\n    pass"),
        ("engine.batched", "from torch import Tensor"),
        ("engine.ngspice", "import subprocess\nfrom subprocess import run"),
    ],
)
def test_what_is_allowed_is_not_a_breach(room, source):
    module = Module(f"kanspice.{room}", room_of(f"kanspice.{room}"), ast.parse(source))
    assert [line for rule in RULES for line in rule(module)] == []
