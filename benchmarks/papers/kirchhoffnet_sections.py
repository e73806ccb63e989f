"""The page's sections on KirchhoffNets: regression, images, generation, inference time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.papers import inference_time, regression
from benchmarks.papers.generation import FRESH
from benchmarks.papers.markdown import NOTHING, ROWS, command, many, percent, seconds, si, small, table
from benchmarks.papers.plane import POTENTIALS, TASKS

_SIDES = ("network", "ideal", "typical")


def losses(rows: ROWS) -> list[str]:
    """Table I."""
    lines = [
        "## KirchhoffNet, Table I: regression",
        "",
        "Mean squared errors on unseen samples, targets scaled to 0..1, means over as many seeds as were trained, with "
        f"the mean's standard error in brackets; the paper's are means of ten. All are trained for {regression.EPOCHS} "
        f"epochs, KirchhoffNets through {regression.STEPS} fixed steps of Runge and Kutta's method; as these learn the "
        f"steps' error, too, {regression.FINE_EPOCHS} more epochs go through {regression.FINE_STEPS}. Then they are "
        f"measured by an adaptive solver{_without_these(rows)}. The paper "
        "gives MLPs' numbers of parameters and not their widths. California housing comes with no package and is left "
        f"out. Of `typical`: the median and the worst of {regression.CHIPS} chips of the first seed's circuit on "
        f"{regression.CHIP_SAMPLES} unseen samples, or all that there are, and in brackets the network's loss on "
        "these. The gap is the relative RMSE of outputs, its median over the chips. One device in two thousand is "
        "stuck open.",
        "",
        "![Training losses](papers/training.svg)",
        "",
        *command("regression"),
    ]
    header = ["data", "network", "parameters (paper)", "paper", "seeds", "network here", "ideal circuit"]
    header += ["`typical`: median", "worst chip", "gap of `typical`", "ngspice differs by"]
    body = [_loss_row(rows, data, name) for data, sizes in regression.PAPER.items() for name in sizes]
    return [*lines, *table(header, body, text=2), *_as_circuits(rows)]


def _without_these(rows: ROWS) -> str:
    """What networks lose that are trained through few steps alone, where that is most."""
    told = []
    for data, sizes in regression.NODES.items():
        for name in sizes:
            found = [row for row in regression.of_seeds(rows, data, name) if "coarse_test_loss" in row]
            coarse, finer = (_mean([row[key] for row in found] or [1.0]) for key in ("coarse_test_loss", "test_loss"))
            told.append((coarse / finer, f"{name} on {data} {coarse:.2e} without them"))
    times, most = max(told)
    return f" ({most})" if times > 1 else ""


def _as_circuits(rows: ROWS) -> list[str]:
    """By how much losses grow in the median chip, of both kinds of networks in each size."""
    told = []
    for data, sizes in regression.PAPER.items():
        for size in ("s", "m", "l"):
            chips = [rows.get(f"{data}; {kind}-{size}; chips") for kind in ("MLP", "KirchhoffNet")]
            if all(f"{kind}-{size}" in sizes for kind in ("MLP", "KirchhoffNet")) and None not in chips:
                mlp, kirchhoff = (median(row["losses"]) / row["network_loss"] for row in chips if row is not None)
                told.append(f"{data}, {size}: {mlp:.1f} and {kirchhoff:.1f} times")
    if not told:
        return []
    why = "`typical` says of crossbars what it does not of branches, too: wires, converters, devices that are stuck."
    return [f"The median chip's loss over its network's, MLP and KirchhoffNet: {'; '.join(told)}. {why}", ""]


def _loss_row(rows: ROWS, data: str, name: str) -> list[str]:
    paper, parameters = regression.PAPER[data][name]
    found = regression.of_seeds(rows, data, name)
    sizes = f"({many(parameters)})" if not found else f"{many(found[0]['parameters'])} ({many(parameters)})"
    cells = [data, name, sizes, f"{paper:.2e}"]
    if not found:
        return [*cells, "not measured", *[NOTHING] * 6]
    mean, error = regression.mean_loss(found)
    ideal = _mean([row["ideal"]["test_loss"]["circuit"] for row in found])
    judge = rows.get(f"{data}; {name}; judge")
    cells += [str(len(found)), f"{mean:.2e}" + ("" if error is None else f" ({error:.1e})"), f"{ideal:.2e}"]
    cells += _chip_cells(rows.get(f"{data}; {name}; chips"))
    return [*cells, NOTHING if judge is None else small(judge["difference"])]


def _chip_cells(row: Mapping | None) -> list[str]:
    """Median, worst, gap."""
    if row is None:
        return [NOTHING] * 3
    losses, gaps = row["losses"], row["relative_rmse"]
    return [f"{median(losses):.2e} ({row['network_loss']:.2e})", f"{max(losses):.2e}", small(median(gaps))]


def images(found: Mapping) -> list[str]:
    """Table II, from what `benchmarks.kirchhoffnet_accuracy` measured."""
    accuracy, samples = found["accuracy"], found["samples"]
    header = ["data", "paper", "network here", f"`{found['technology']}`", "images", "gap", "processor time an image"]
    gap, each = small(found["gap"]["relative_rmse"]), seconds(found["processor_s"] / samples)
    both = [percent(accuracy[side], 2) for side in ("reference", "circuit")]
    body = [
        ["MNIST", "99.39 (0.06)", *both, many(samples), gap, each],
        ["CIFAR-10", "73.41 (0.12)", "no data, no weights", *[NOTHING] * 4],
        ["SVHN (in the text)", "92.1", "no data, no weights", *[NOTHING] * 4],
    ]
    return [
        "## KirchhoffNet, Table II: images",
        "",
        "Accuracies in percent. The MNIST network is the authors' own, 460,136 branches in two periods, on the first "
        "images of the test set; with their number the standard error is "
        f"{100 * (accuracy['circuit'] * (1 - accuracy['circuit']) / samples) ** 0.5:.1f} points. Samples without a "
        f"result: {len(found['failed_samples'])}. The other networks' size is below, with random weights.",
        "",
        "`python -m benchmarks.kirchhoffnet_accuracy FOLDER`",
        "",
        *table(header, body),
    ]


def generation(rows: ROWS) -> list[str]:
    """Figs. 7, 8 and 10."""
    samples = max(row["samples"] for row in rows.values())
    lines = [
        "## KirchhoffNet, Figs. 7, 8 and 10: generation",
        "",
        f"Energy distances between {many(samples)} samples made and as many of the data: 0 for the same distribution; "
        f"beside them that of two fresh sets of the data, mean and largest of {FRESH} pairs. Likelihoods are mean "
        "log-densities of unseen points, in nats; for the potentials the divergence KL of what is made from what is "
        "wanted. In the last but one column: the mean log-densities that the network gives to its own samples, and to "
        "those of its `typical` circuit. D periods of length T. Ours were trained by "
        f"{_updates(rows)} updates of {_batch(rows)} points; for the potentials the paper has at least 10,000 epochs "
        "of 512. Told apart: a test on 1,000 points of one chip and of the network, from the same starts. "
        "The published network of the second "
        "potential was trained on its band without ends, which no distribution has: its samples reach to 9 on either "
        "side, and only its circuit can be compared with it.",
        "",
        "![Data, what the network makes, what the typical circuit makes](papers/generation.png)",
        "",
        "![Samples at the end of every period](papers/periods.png)",
        "",
        "![Densities of the two potentials](papers/potentials.png)",
        "",
        *command("generation"),
    ]
    header = ["task", "whose", "D", "T", "branches", "log-likelihood or KL", "network", "ideal", "`typical`"]
    header += ["fresh data", "gap of `typical`", "log-densities", "told apart from the network"]
    body = [_task_row(*name.split("; "), row) for name, row in rows.items()]
    order = [*TASKS, *POTENTIALS]
    return [*lines, *table(header, sorted(body, key=lambda cells: order.index(cells[0])), text=2)]


def _task_row(task: str, whose: str, row: Mapping) -> list[str]:
    told = row["typical"]["distribution"]
    apart = NOTHING if told is None else "yes" if told["told_apart"] else "no"
    cells = [task, whose, str(row["layers"]), f"{row['duration']:g}", many(row["branches"])]
    cells += [_density_cell(row), *_distance_cells(row), small(row["typical"]["relative_rmse"])]
    return [*cells, _circuit_density_cell(row), apart]


def _updates(rows: ROWS) -> str:
    """Of the networks that were trained here."""
    found = {row["updates"] for row in rows.values() if "updates" in row}
    return f"{many(min(found, default=0))} to {many(max(found, default=0))}"


def _batch(rows: ROWS) -> str:
    return ", ".join(sorted({many(row["batch"]) for row in rows.values() if "batch" in row}))


def _density_cell(row: Mapping) -> str:
    if "divergence" in row:
        return f"KL {row['divergence']:.3f}"
    if "negative_log_likelihood" not in row:
        return NOTHING
    lost = f" ({row['not_followed']} points cannot be followed back)" if row["not_followed"] else ""
    return f"{-row['negative_log_likelihood']:.3f}{lost}"


def _circuit_density_cell(row: Mapping) -> str:
    found = row["typical"].get("log_density")
    return NOTHING if found is None else f"{found['network']:.3f}, {found['circuit']:.3f}"


def _distance_cells(row: Mapping) -> list[str]:
    """From the data: network, ideal and `typical` circuit, and fresh data."""
    if "energy_distance" not in row:
        return [NOTHING] * (len(_SIDES) + 1)
    distance = row["energy_distance"]
    fresh = f"{distance['fresh']['mean']:.3f}, {distance['fresh']['largest']:.3f}"
    return [*(f"{distance[side]:.3f}" for side in _SIDES), fresh]


def fastest(rows: ROWS) -> list[str]:
    """Section II-C."""
    lines = [
        "## KirchhoffNet, Section II-C: how fast can it be?",
        "",
        "The paper's scale a shrinks capacitors, and with them the inference's time. The limits here: kT/C noise at "
        "300 K; a clock of 0.3 ns with 1 ps of jitter; branches with a pole at 10 GHz; 1 fF at every node and 10 aF at "
        "each end of a branch. Unit current 1 uA, or 100 uA where it says so. The capacitance for a gap is "
        "interpolated between two of the sweep and then measured: its own gap stands in brackets, and where it is "
        "smaller than asked for, a faster circuit may do. A dash: not up to 10 pF. At 1 uA parasitics are nearly the "
        "whole gap; they are known, and a design could take them off the nodes' capacitors, which is not done here. "
        "From 1 fF on gaps fall with the capacitance: the scale a has no optimum but the time that one can wait.",
        "",
        "![The gap against the capacitance, limit by limit](papers/inference_time.svg)",
        "",
        *command("inference_time"),
    ]
    header = ["network", "limits"]
    for gap in inference_time.ALLOWED:
        header += [f"gap of {gap:g}: capacitance", "inference"]
    body = []
    for network in inference_time.NETWORKS:
        for name in ("all", "all, 100 uA"):
            row = rows.get(f"{network}; fastest, {name}")
            if row is not None:
                body.append([network, name, *_fastest_cells(row)])
    told = [line for network in inference_time.NETWORKS for line in _femtoseconds(network, rows)]
    return [*lines, *table(header, body, text=2), *told]


def _fastest_cells(row: Mapping) -> list[str]:
    cells: list[str] = []
    for allowed in inference_time.ALLOWED:
        point = row["fastest"].get(str(allowed))
        if point is None:
            cells += [NOTHING] * 2
        else:
            gap = small(point["relative_rmse"])
            cells += [f"{si(point['capacitance_f'], 'F')} ({gap})", si(point["latency_s"], "s")]
    return cells


def _femtoseconds(network: str, rows: ROWS) -> list[str]:
    """The paper's own figure: 1 fF, and branches of an ampere."""
    row = rows.get(f"{network}; femtoseconds")
    if row is None:
        return []
    told = ", ".join(f"{name} {small(point['relative_rmse'])}" for name, point in row["points"].items())
    latency = si(row["points"]["none"]["latency_s"], "s")
    return [f"With 1 fF and branches of an ampere, the network {network!r} takes {latency}; gaps by limit: {told}.", ""]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
