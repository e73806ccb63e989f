"""The page's last sections: what the measurements contradict, and what is not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from benchmarks.papers import bases, inference_time, nodes, regression, robustness, table1
from benchmarks.papers.classifiers import RECIPES
from benchmarks.papers.crossbar_sections import curve
from benchmarks.papers.markdown import many, percent, si, small

_NOTEWORTHY = 0.01
"""Of an accuracy: what a paper's figure may be above ours before it is called out of reach."""
_ERRORS, _FAR = 2, 1.5
"""Of losses: standard errors and times that ours may be above a paper's before it is."""
_MOST_ERROR, _FEW_IMAGES = 0.46, 0.025
"""Of areas; and what one worst chip of a hundred images may lose more than another."""


def contradictions(every: Mapping[str, Mapping]) -> list[str]:
    """Each as one paragraph, of the rows that are known."""
    found = [
        *_out_of_reach(every["table1"]),
        *_efficiency(every["table1"]),
        *_node_efficiency(every["nodes"]),
        *_more_devices(every["bases"]),
        *_matched(every["bases"]),
        *_larger_is_tougher(every["robustness"]),
        *_regression(every["regression"]),
        *_potentials(every["generation"]),
        *_femtoseconds(every["inference_time"]),
        *_power(every["energy"]["rows"]),
    ]
    if not found:
        return []
    return [
        "## What contradicts the papers, or was not reached",
        "",
        *(line for each in found for line in (f"- {each}", "")),
    ]


def _out_of_reach(rows: Mapping) -> Iterator[str]:
    """On FashionMNIST, whose images are all here, of the networks that the first paper has."""
    far, near, unfinished = [], [], []
    for place, name in enumerate(RECIPES):
        row = rows.get(f"FashionMNIST; {name}; network")
        if row is None or "BatchNorm" in name:
            continue
        paper = table1.PAPER["FashionMNIST"][place] / 100
        is_far = paper - row["accuracy"] > _NOTEWORTHY
        (far if is_far else near).append(f"{name} {percent(row['accuracy'], 2)} against {percent(paper, 2)}")
        if is_far and row["epochs"] - row["best_epoch"] < RECIPES[name].patience:
            unfinished.append(name)
    if far:
        yield (
            "First KANalogue paper, Table 1, FashionMNIST, not reached: with the paper's widths and Adam, trained as "
            f"above, with one seed each, networks stay below its figures on all 10,000 test images: {'; '.join(far)} "
            "percent. "
            + (f"Training ended at its last epoch, not by itself: {'; '.join(unfinished)}. " if unfinished else "")
            + (f"Within a point: {'; '.join(near)} percent. " if near else "")
            + "On MNIST all networks stay below, too: they were trained on 8,000 images instead of 60,000."
        )


def _efficiency(rows: Mapping) -> Iterator[str]:
    mlp_name = "MLP, resonant tunnelling diode"
    pairs, images = [], []
    for data in table1.PAPER:
        mlp = rows.get(f"{data}; {mlp_name}; network")
        kans = [row for name in RECIPES if "KANalogue" in name and (row := rows.get(f"{data}; {name}; network"))]
        best = max(kans, key=lambda row: row["accuracy"], default=None)
        if mlp is not None and best is not None and best["accuracy"] - mlp["accuracy"] < _ERRORS * _error(mlp):
            images.append(f"{data} {many(mlp['test_samples'])}, {100 * _error(mlp):.1f} points")
            pairs.append(
                f"{data} {percent(mlp['accuracy'], 2)} with {many(mlp['parameters'])} parameters, the best KANalogue "
                f"{percent(best['accuracy'], 2)} with {many(best['parameters'])}"
            )
    if pairs:
        yield (
            'First KANalogue paper, Section 3.5.3, "superior competitive parameter efficiency": an MLP whose '
            "activation is the current of a resonant tunnelling diode does as well with fewer parameters: "
            f"{'; '.join(pairs)}. One seed each; test images and the standard error of their number: "
            f"{'; '.join(images)}. In the paper's own Table 1, this MLP and three devices: {_both_in_the_paper()}."
        )


def _both_in_the_paper() -> str:
    places = [
        list(RECIPES).index(name) for name in ("MLP, resonant tunnelling diode", "KANalogue, 3 devices, LayerNorm")
    ]
    pairs = ((data, [found[place] for place in places]) for data, found in table1.PAPER.items())
    return "; ".join(f"{data} {mlp:.2f} and {kan:.2f}" for data, (mlp, kan) in pairs)


def _node_efficiency(rows: Mapping) -> Iterator[str]:
    for data in nodes.HIDDEN:
        of_data = {name: row for name, row in rows.items() if name.startswith(f"{data}; ") and "nodes" in row}
        mlps = [row for name, row in of_data.items() if name.startswith(f"{data}; MLP, ")]
        kans = [row for name, row in of_data.items() if name.startswith(f"{data}; KANalogue, ")]
        beaten = [(kan, better) for kan in kans if (better := _not_larger_nor_worse(kan, mlps)) is not None]
        if beaten:
            pairs = "; ".join(
                f"{many(kan['nodes'])} nodes {percent(kan['accuracy'], 2)}, MLP {many(mlp['nodes'])} nodes "
                f"{percent(mlp['accuracy'], 2)}"
                for kan, mlp in sorted(beaten, key=lambda both: both[0]["nodes"])
            )
            yield (
                f'Second KANalogue paper, abstract, "higher crossbar node efficiency than analogue MLPs", {data}: of '
                f"{len(kans)} KANalogues of several sizes, {len(beaten)} are no better than the best MLP with resonant "
                f"tunnelling diodes that has at most as many nodes: {pairs}. One seed each; the standard error is "
                f"{100 * _error(kans[-1]):.1f} points. A node is a device here, which may not be what the paper counts."
            )


def _not_larger_nor_worse(kan: Mapping, mlps: Sequence[Mapping]) -> Mapping | None:
    """The best of the MLPs with at most as many nodes, if it is as accurate."""
    smaller = [row for row in mlps if row["nodes"] <= kan["nodes"]]
    best = max(smaller, key=lambda row: row["accuracy"], default=None)
    return best if best is not None and best["accuracy"] >= kan["accuracy"] else None


def _error(row: Mapping) -> float:
    return (row["accuracy"] * (1 - row["accuracy"]) / row["test_samples"]) ** 0.5


def _more_devices(rows: Mapping) -> Iterator[str]:
    by_count: dict[int, list[float]] = {}
    for chosen in bases.CHOICES:
        row = rows.get(f"MNIST; {' + '.join(chosen)}")
        if row is not None:
            by_count.setdefault(len(chosen), []).append(row["accuracy"])
    means = [sum(found) / len(found) for _, found in sorted(by_count.items())]
    if len(by_count) == 4 and not all(b > a for a, b in pairwise(means)):
        told = ", ".join(f"{count} {percent(mean)}" for count, mean in zip(sorted(by_count), means, strict=True))
        yield (
            'First KANalogue paper, Section 3.3.1, "models with more tunnel diode functions generally perform better": '
            f"the mean accuracy on MNIST does not rise throughout with the number of devices: {told} percent."
        )


def _matched(rows: Mapping) -> Iterator[str]:
    """The best of one, two, three and four devices, with as many parameters as two have."""
    best: dict[int, tuple[float, str]] = {}
    for chosen in bases.CHOICES:
        name = f"MNIST; {' + '.join(chosen)}"
        row = rows.get(name if len(chosen) == 2 else f"{name}; matched")
        if row is not None:
            best[len(chosen)] = max(best.get(len(chosen), (0.0, "")), (row["accuracy"], " + ".join(chosen)))
    if len(best) == 4 and best[1][0] >= max(best[count][0] for count in (2, 3, 4)):
        told = ", ".join(f"{count} {percent(best[count][0], 2)} ({best[count][1]})" for count in sorted(best))
        yield (
            "Second KANalogue paper, Fig. 4, gains come from complementary functions rather than from the number of "
            "parameters: with as many parameters as two devices have, the best of one, two, three and four devices "
            f"reach, on MNIST: {told} percent. One device and a wider layer do as well. One seed each, and choices of "
            "four, six, four and one; the standard error is 0.5 points."
        )


def _larger_is_tougher(rows: Mapping) -> Iterator[str]:
    """Where the worst chip of a larger network loses clearly more; one image is a hundredth."""
    place = robustness.LEVELS.index(_MOST_ERROR)
    lost = []
    for hidden in robustness.HIDDEN:
        blocks, without = robustness.blocks_of(rows, hidden, "binary"), rows.get(f"{hidden} hidden; none")
        if blocks and without is not None:
            lost.append((hidden, without["accuracy"]["circuit"], *curve(blocks)[place]))
    drops = [clean - worst for _, clean, worst, _, _ in lost]
    if any(b - a > _FEW_IMAGES for a, b in pairwise(drops)):
        told = "; ".join(
            f"{hidden} hidden {percent(clean, 0)} to {percent(worst, 0)}, the mean chip to {percent(mean)}"
            for hidden, clean, worst, mean, _ in lost
        )
        yield (
            'First KANalogue paper, Section 3.4, "models with more parameters exhibit significantly greater '
            f'tolerance": this does not hold throughout for the worst chip at a binary error of {_MOST_ERROR}: {told} '
            "percent."
        )


def _regression(rows: Mapping) -> Iterator[str]:
    """Losses clearly above the paper's, and what is left of the advantage over MLPs of the same size."""
    for data, sizes in regression.PAPER.items():
        ours = {name: regression.mean_loss(found) for name in sizes if (found := regression.of_seeds(rows, data, name))}
        far = [
            f"{name} {mean:.2e} ({error:.1e}) against {sizes[name][0]:.2e}"
            for name, (mean, error) in ours.items()
            if error is not None and mean - sizes[name][0] > _ERRORS * error and mean > _FAR * sizes[name][0]
        ]
        if far:
            told = [
                f"{size} {ours[net][0] / ours[mlp][0]:.2g} ({sizes[net][0] / sizes[mlp][0]:.2g})"
                for size, net, mlp in ((size, f"KirchhoffNet-{size}", f"MLP-{size}") for size in ("s", "m", "l"))
                if mlp in ours and net in ours
            ]
            yield (
                f"KirchhoffNet, Table I, {data}, not reached, which is more than {_FAR:g} times the paper's loss and "
                f"more than {_ERRORS} standard errors above it: {', '.join(far)}. The loss of a KirchhoffNet over that "
                f"of an MLP of the same size (in the paper): {'; '.join(told)}."
            )


def _potentials(rows: Mapping) -> Iterator[str]:
    """Of which not even the network makes what was wanted: farther away than fresh data are from each other."""
    far = [
        f"{name.removesuffix('; ours')} {distance['network']:.2f} where fresh data have at most "
        f"{distance['fresh']['largest']:.2f}"
        for name, row in rows.items()
        if name.startswith("potential") and (distance := row.get("energy_distance"))
        if distance["network"] > distance["fresh"]["largest"]
    ]
    if far:
        yield (
            "KirchhoffNet, Fig. 10, densities of the two potentials, not reached by the networks trained here, one "
            f"seed each, by the energy distance: {', '.join(far)}."
        )


def _femtoseconds(rows: Mapping) -> Iterator[str]:
    claim = rows.get(f"{inference_time.NETWORKS[0]}; femtoseconds")
    if claim is None:
        return
    told = []
    for network in inference_time.NETWORKS:
        row = rows.get(f"{network}; fastest, all, 100 uA")
        point = None if row is None else row["fastest"].get("0.01")
        if point is not None:
            gap = f"{100 * point['relative_rmse']:.1f} % with {si(point['capacitance_f'], 'F')}"
            told.append(f"{network}: {si(point['latency_s'], 's')} for {gap}")
    yield (
        "KirchhoffNet, Section II-C, inference in femtoseconds: 1 fF needs branches of an ampere for that, and where "
        f"these have a pole at 10 GHz the gap is {small(claim['points']['bandwidth']['relative_rmse'])}: outputs are "
        "farther from the network's than a constant would be."
        + (f" With all limits above and 100 uA, at a gap of at most 1 %: {'; '.join(told)}." if told else "")
    )


def _power(rows: Mapping) -> Iterator[str]:
    chosen = [(name, row) for name, row in rows.items() if name.startswith(("05", "08")) or "cartpole" in name]
    told = [
        f"{name} {si(row['power_w'], 'W')} and {si(row['energy_j'], 'J')} an inference, digitally "
        f"{si(row['digital_j']['int8'], 'J')}"
        for name, row in chosen
        if row["energy_j"] is not None
    ]
    if told:
        yield (
            'Trainable connections, "low-power" in the title, "microwatts rather than milliwatts" in a commentary: '
            "in the circuit that kanspice compiles every connection has amplifiers, of 2 to 50 MHz, which is its own "
            "choice, and their supply current is nearly all of the power. Digitally: int8, operations and memory "
            "alone. "
            f"{'; '.join(told)}. An inference lasts a millisecond, since detectors of kilohertz tones settle no faster."
        )


def missing(_every: Mapping[str, Mapping]) -> list[str]:
    """What the papers have and this page has not, with the reason."""
    return [
        "## What is not here",
        "",
        "- CIFAR-10 and SVHN, of both families, and California housing: the data come with no package, and weights "
        "are not published or not in the mirror. Sizes are above, with random weights.",
        "- All of MNIST's training images: no package ships them. With `KANSPICE_MNIST` naming a folder of the four "
        "idx files, the same rows are trained on 60,000 images.",
        "- `typical` chips on FashionMNIST's whole test set: wires make an image take 0.15 s of the processor, so that "
        "1,000 images of two chips, or 500 of one, have to do; VACASK takes minutes an image of them, and has none.",
        "- Choices of devices on FashionMNIST and CIFAR-10 (first paper, Figs. 6 and 7), MLPs with ReLUs and sigmoids "
        "(first paper, Fig. 9), and sizes of MLPs with other devices and of KANs of polynomials: kanspice compiles "
        "them, and they were not measured.",
        "- What the papers' figures show, beside ours: they have no numbers. Of the fourth paper only the abstract was "
        "at hand, and the photovoltaic curves of its authors' units are modelled, not their measured ones.",
        "- Energy of the MLPs and of the KANs that were projected, areas on silicon, and energy by part: power is by "
        "part. [Costs](physical-cost.md) say what is counted.",
        "- Sweeps of learning rates and batch sizes (first paper, Figs. A5 to A7), and baselines without a circuit "
        "(neural ODEs, graph networks, ResNets): they are about software alone.",
        "- Digits made by a KirchhoffNet (its paper's Fig. 9): the published checkpoint is verified in the tests.",
        "- A GPU: there was none. `tools/gpu_check.sh` runs the largest rows on one, and is tested on the processor.",
        "",
    ]
