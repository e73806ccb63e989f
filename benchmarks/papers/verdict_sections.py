"""The page's last sections: what the measurements contradict, and what is not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from benchmarks.papers import bases, inference_time, nodes, regression, robustness, table1
from benchmarks.papers.classifiers import RECIPES
from benchmarks.papers.crossbar_sections import curve, worst_blocks
from benchmarks.papers.markdown import many, percent, si, small

_NOTEWORTHY = 0.01
"""Of an accuracy: what a paper's figure may be above ours before it is called out of reach."""
_ERRORS, _FAR = 2, 1.5
"""Of losses: standard errors and times that ours may be above a paper's before it is."""


def contradictions(every: Mapping[str, Mapping]) -> list[str]:
    """Each as one paragraph, of the rows that are known."""
    found = [
        *_out_of_reach(every["table1"]),
        *_efficiency(every["table1"]),
        *_node_efficiency(every["nodes"]),
        *_more_devices(every["bases"]),
        *_larger_is_tougher(every["robustness"]),
        *_regression(every["regression"]),
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
    far, unfinished = [], []
    for place, name in enumerate(RECIPES):
        row = rows.get(f"FashionMNIST; {name}; network")
        paper = table1.PAPER["FashionMNIST"][place] / 100
        if row is not None and paper - row["accuracy"] > _NOTEWORTHY:
            far.append(f"{name} {percent(row['accuracy'])} against {percent(paper)}")
            if row["epochs"] - row["best_epoch"] < RECIPES[name].patience:
                unfinished.append(name)
    if far:
        yield (
            "First KANalogue paper, Table 1, FashionMNIST, not reproduced: with the paper's widths and optimiser, "
            "trained as above, networks stay below its figures on all 10,000 test images, with one seed each: "
            f"{', '.join(far)} percent. "
            + (f"Training ended at its last epoch, not by itself: {', '.join(unfinished)}. " if unfinished else "")
            + "(The authors' early stopping keeps the last weights rather than the "
            "best: their `best_state_dict` is not a copy. Ours is one.)"
        )


def _efficiency(rows: Mapping) -> Iterator[str]:
    names = ("MLP, resonant tunnelling diode", "KANalogue, 3 devices, BatchNorm and clip")
    pairs, images = [], []
    for data in table1.PAPER:
        mlp, kan = (rows.get(f"{data}; {name}; network") for name in names)
        if mlp is not None and kan is not None and mlp["accuracy"] >= kan["accuracy"]:
            images.append(f"{data} {many(mlp['test_samples'])}, {100 * _error(mlp):.1f} points")
            pairs.append(
                f"{data} {percent(mlp['accuracy'])} with {many(mlp['parameters'])} parameters against "
                f"{percent(kan['accuracy'])} with {many(kan['parameters'])}"
            )
    if pairs:
        yield (
            'First KANalogue paper, Section 3.5.3, "superior competitive parameter efficiency": an MLP whose '
            "activation is the current of a resonant tunnelling diode does as well with a third of the parameters: "
            f"{'; '.join(pairs)}. One seed each; test images and the standard error of their number: "
            f"{'; '.join(images)}."
        )


def _node_efficiency(rows: Mapping) -> Iterator[str]:
    for data in nodes.HIDDEN:
        of_data = {name: row for name, row in rows.items() if name.startswith(f"{data}; ") and "nodes" in row}
        mlps = [row for name, row in of_data.items() if name.startswith(f"{data}; MLP, ")]
        kans = [row for name, row in of_data.items() if name.startswith(f"{data}; KANalogue, ")]
        beaten = [(kan, better) for kan in kans if (better := _not_larger_nor_worse(kan, mlps)) is not None]
        if beaten:
            pairs = "; ".join(
                f"{many(kan['nodes'])} nodes {percent(kan['accuracy'])}, MLP {many(mlp['nodes'])} nodes "
                f"{percent(mlp['accuracy'])}"
                for kan, mlp in sorted(beaten, key=lambda both: both[0]["nodes"])
            )
            yield (
                f'Second KANalogue paper, abstract, "higher crossbar node efficiency than analogue MLPs", {data}: of '
                f"{len(kans)} KANalogues of several sizes, {len(beaten)} are no better than an MLP with resonant "
                f"tunnelling diodes that has fewer nodes: {pairs}. One seed each."
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


def _larger_is_tougher(rows: Mapping) -> Iterator[str]:
    place = robustness.LEVELS.index(0.46)
    lost = []
    for hidden in robustness.HIDDEN:
        blocks, without = worst_blocks(rows, hidden, "binary"), rows.get(f"{hidden} hidden; none")
        if blocks and without is not None:
            worst = curve(blocks)[place][0]
            lost.append((hidden, without["accuracy"]["circuit"], worst))
    drops = [clean - worst for _, clean, worst in lost]
    if len(lost) == len(robustness.HIDDEN) and not all(b < a for a, b in pairwise(drops)):
        told = ", ".join(f"{hidden} hidden {percent(clean, 0)} to {percent(worst, 0)}" for hidden, clean, worst in lost)
        yield (
            'First KANalogue paper, Section 3.4, "models with more parameters exhibit significantly greater '
            f'tolerance": this does not hold throughout for the worst chip at a binary error of 0.46: {told} percent.'
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
                f"KirchhoffNet, Table I, {data}, not reached: {', '.join(far)}. The loss of a KirchhoffNet over that "
                f"of an MLP of the same size (in the paper): {'; '.join(told)}."
            )


def _femtoseconds(rows: Mapping) -> Iterator[str]:
    network = inference_time.NETWORKS[0]
    fast, claim = rows.get(f"{network}; fastest, all, 100 uA"), rows.get(f"{network}; femtoseconds")
    if fast is None or claim is None:
        return
    point, slow = fast["fastest"].get("0.01"), claim["points"]["bandwidth"]
    best = "no capacitance of the sweep has"
    if point is not None:
        best = f"the fastest circuit takes {si(point['latency_s'], 's')} for"
    yield (
        "KirchhoffNet, Section II-C, inference in femtoseconds: 1 fF needs branches of an ampere for that, and where "
        f"these have a pole at 10 GHz the gap is {small(slow['relative_rmse'])}: nothing of the network is left. With "
        f"all limits above and 100 uA {best} a gap of 1 %."
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
            "in the circuit that kanspice compiles every connection has amplifiers, and their supply current is nearly "
            "all of the power. "
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
        "- Sweeps of learning rates and batch sizes (first paper, Figs. A5 to A7), and baselines without a circuit "
        "(neural ODEs, graph networks, ResNets): they are about software alone.",
        "- Digits made by a KirchhoffNet (Fig. 9): the published checkpoint is verified in the tests and has no row.",
        "",
    ]
