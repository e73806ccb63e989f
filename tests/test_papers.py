"""docs/papers.md is what its program makes of the rows that are kept beside it; studies measure on real data."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kanspice.base.errors import InputError, SimulatorError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def everything():
    from benchmarks.papers.__main__ import RESULTS, measured

    return measured(RESULTS)


def test_the_page_says_what_was_measured():
    from benchmarks.papers.page import page

    assert (ROOT / "docs" / "papers.md").read_text(encoding="utf-8") == page(*everything())


def test_every_row_says_when_and_where_it_was_measured_and_no_simulator_contradicts_it():
    for study, rows in everything()[0].items():
        for name, row in rows.items():
            assert row["measured"]["date"] >= "2026-11-29", (study, name)
            assert row.get("agrees", True), (study, name)
            if name.endswith("; ideal") and study == "table1":
                assert row["relative_rmse"] < 1e-10, name


def test_a_row_is_measured_once_and_one_without_its_data_is_left_out(tmp_path, capsys):
    from benchmarks.papers.data import MissingDataError
    from benchmarks.papers.rows import Setting, known, measure

    def absent():
        raise MissingDataError("no such data here")

    setting = Setting(tmp_path, tmp_path / "results")
    measure("toy", iter([("one", lambda: {"value": 1}), ("two", absent)]), setting)
    measure("toy", iter([("one", lambda: {"value": 2}), ("three", lambda: {"value": 3})]), setting)
    found = known(tmp_path / "results" / "toy.json")
    assert {name: row["value"] for name, row in found.items()} == {"one": 1, "three": 3}
    assert "no such data here" in capsys.readouterr().out


def test_without_any_data_the_page_says_that_nothing_was_measured(tmp_path):
    from benchmarks.papers.__main__ import write_page
    from benchmarks.papers.rows import Setting

    write_page(Setting(tmp_path, tmp_path / "results"), tmp_path / "new")
    assert "No study has measured anything yet." in (tmp_path / "new" / "papers.md").read_text(encoding="utf-8")


def test_a_circuit_stands_beside_its_network_on_the_same_images():
    from benchmarks.papers.crossbar_sections import efficiency

    measured = {"accuracy": {"circuit": 0.8, "reference": 0.9}, "samples": 500}
    row = {"nodes": 1000, "accuracy": 0.85, "ideal": measured, "typical": measured}
    lines = efficiency({"FashionMNIST; MLP, resonant tunnelling diode; 64 hidden": row})
    last = lines[-2].removeprefix("| ").removesuffix(" |").split(" | ")
    assert last[3:] == ["1,000", "85.00", "500", "80.00 (90.00)", "80.00 (90.00)"]


def test_shares_of_a_projected_network_are_not_of_its_gap_from_itself():
    from benchmarks.papers.crossbar_sections import accuracy

    row = {"lost": 0.006, "samples": 100, "shares": {"projection": 0.9, "devices.*": 0.08, "tia.*": 0.02}}
    (said,) = (line for line in accuracy({"MNIST; KAN, B-splines; causes": row}) if line.startswith("- MNIST"))
    assert "0.60 points lost; shares of its gap (one chip, 100 images): devices.* 80 %, tia.* 20 %." in said


def test_points_that_a_projection_loses_are_said():
    from benchmarks.papers.crossbar_sections import accuracy

    facts = {"parameters": 100, "accuracy": 0.9}
    for right, count in ((0.894, 1), (0.896, 0)):
        ideal = {"accuracy": {"reference": right, "circuit": right}}
        parts = {"network": facts, "projected": {"relative_rmse": 0.12}, "ideal": ideal}
        found = accuracy({f"MNIST; KAN, B-splines; {part}": row for part, row in parts.items()})
        said = [line for line in found if "points lost by the projection" in line]
        assert len(said) == count
        assert all("0.60 points lost" in line and "relative RMSE of 0.12" in line for line in said)


@pytest.mark.parametrize(("accuracy", "points"), [((0.9215, 0.9165), 0.5), ((0.85, 0.90), -5.0)])
def test_only_more_than_half_a_point_is_explained(accuracy, points, tmp_path):
    from benchmarks.papers.circuits import explained, lost_in_typical
    from benchmarks.papers.rows import MissingDataError, Setting, measured_row

    network, circuit = accuracy
    row = {"typical": {"accuracy": {"reference": network, "circuit": circuit}}}
    lost = lost_in_typical(row)
    assert 100 * lost == pytest.approx(points)
    model = Path(__file__).parents[1] / "examples" / "01_kanalogue_digits"
    inputs, labels = (np.load(model / f"{name}.npy") for name in ("inputs", "labels"))
    setting = Setting(tmp_path, tmp_path, quick=True)
    found = explained(lost, model / "model.pt", inputs, labels, setting)
    assert found["lost"] == lost
    if points == 0.5:
        assert set(found) == {"lost"}
    else:
        assert found["samples"] == 20
        assert next(iter(found["shares"].values())) == max(found["shares"].values())
        assert sum(found["shares"].values()) == pytest.approx(1, abs=0.3)
    with pytest.raises(MissingDataError, match="moons was not measured"):
        measured_row("generation", "moons", setting)


def test_a_judge_of_the_largest_network_is_on_the_page():
    from benchmarks.papers.scale_sections import largest

    row = {"judge": "vacask", "difference": 2e-5, "agrees": True, "wall_s": 600.0}
    (said,) = (line for line in largest({"KirchhoffNet CIFAR-10; judge": row}) if "VACASK" in line)
    assert "10 min of the wall clock" in said and "It agrees" in said and "2e-05" in said


def test_without_a_simulator_its_word_is_left_out(monkeypatch):
    from benchmarks.papers import circuits
    from benchmarks.papers.data import MissingDataError

    def missing():
        raise SimulatorError("the simulator VACASK is not installed", hint="install it")

    monkeypatch.setattr(circuits, "engine_named", lambda _: SimpleNamespace(find=missing))
    with pytest.raises(MissingDataError, match="VACASK is not installed, install it"):
        circuits.second_opinion(Path("model.pt"), np.zeros((1, 2)), "typical", "vacask")


def test_losses_clearly_above_a_papers_are_said_and_others_are_not():
    from benchmarks.papers.verdict_sections import _regression

    def trained(data, name, *losses):
        return {f"{data}; {name}; seed {seed}": {"test_loss": loss} for seed, loss in enumerate(losses)}

    above = trained("Friedman #1", "KirchhoffNet-l", 4e-5, 5e-5) | trained("Friedman #1", "MLP-l", 6e-5, 6e-5)
    spread = trained("diabetes", "MLP-s", 1e-2, 9e-2)
    (said,) = _regression(above | spread)
    assert "KirchhoffNet-l 4.50e-05 (5.0e-06) against 1.11e-05. " in said
    assert said.endswith("of the same size (in the paper): l 0.75 (0.18).")


def test_without_data_a_whole_study_is_left_out_row_by_row(tmp_path, monkeypatch, capsys):
    from benchmarks.papers import data, inference_time, robustness, table1
    from benchmarks.papers.rows import Setting, measure

    for name in (data.MNIST_FOLDER, "KANSPICE_REFERENCE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(data, "FASHION", ())
    for cached in (data.mnist, data.fashion_mnist):
        cached.cache_clear()
    setting = Setting(tmp_path, tmp_path / "results", quick=True)
    measure("robustness", robustness.rows(setting), setting)
    measure("table1", table1.rows(setting), setting)
    measure("inference_time", inference_time.rows(setting), setting, "^two moons")
    assert not setting.results.exists()
    assert "left out" in capsys.readouterr().out


def test_chips_count_alike_in_blocks_of_any_size():
    from benchmarks.papers import robustness
    from benchmarks.papers.crossbar_sections import curve

    def block(trials, accuracy):
        point = {"smallest": accuracy, "mean": accuracy, "largest": accuracy}
        return {"trials": trials, "points": [point] * len(robustness.LEVELS)}

    assert curve([block(300, 0.9), block(100, 0.5)])[0] == pytest.approx((0.5, 0.8, 0.9))


def test_what_contradicts_a_paper_says_how_sure_it_is():
    from benchmarks.papers import bases
    from benchmarks.papers.verdict_sections import contradictions

    def row(accuracy, epochs, best):
        return {
            "accuracy": accuracy,
            "epochs": epochs,
            "best_epoch": best,
            "test_samples": 10_000,
            "parameters": 9,
        }

    others = {
        "bases": {},
        "nodes": {},
        "robustness": {},
        "regression": {},
        "generation": {},
        "inference_time": {},
        "energy": {"rows": {}},
    }
    networks = {"MLP, MOSFET": row(0.86, 25, 23), "MLP, tunnel diode": row(0.76, 13, 3)}
    found = "\n".join(
        contradictions({"table1": {f"FashionMNIST; {n}; network": r for n, r in networks.items()}} | others)
    )
    assert "FashionMNIST, not reached" in found
    assert "Training ended at its last epoch, not by itself: MLP, MOSFET. " in found
    assert "MLP, tunnel diode 76.00 against 94.84" in found
    names = "MLP, resonant tunnelling diode", "KANalogue, 3 devices, BatchNorm and clip"
    found = "\n".join(contradictions({"table1": {f"MNIST; {n}; network": row(0.9, 30, 20) for n in names}} | others))
    assert "MNIST 10,000, 0.3 points" in found
    more = {f"MNIST; {' + '.join(bases.DEVICES[:n])}": row(0.9 + n / 100, 30, 20) for n in range(1, 5)}
    assert contradictions({"table1": {}} | others | {"bases": more}) == []
    matched = {f"{name}; matched": row for name, row in more.items()}
    assert contradictions({"table1": {}} | others | {"bases": more | matched}) == []
    matched[f"MNIST; {bases.DEVICES[2]}; matched"] = row(0.95, 30, 20)
    (_, _, found, _) = contradictions({"table1": {}} | others | {"bases": more | matched})
    assert "1 95.00 (z15), 2 92.00 (a21 + z21), 3 93.00 (a21 + z21 + z15), 4 94.00" in found


@pytest.mark.parametrize(("largest", "is_said"), [(0.72, False), (0.68, True)])
def test_a_few_images_of_one_chip_say_nothing_of_sizes(largest, is_said):
    from benchmarks.papers import robustness
    from benchmarks.papers.verdict_sections import _larger_is_tougher

    rows = {}
    for hidden, smallest in zip(robustness.HIDDEN, (0.60, 0.70, largest), strict=True):
        point = {"smallest": smallest, "mean": 0.8, "largest": 0.9}
        rows[f"{hidden} hidden; none"] = {"accuracy": {"circuit": 0.95}}
        rows[f"{hidden} hidden; binary; block 0"] = {"trials": 10, "points": [point] * len(robustness.LEVELS)}
    rows["128 hidden; none"] = {"accuracy": {"circuit": 0.96}}
    assert bool(list(_larger_is_tougher(rows))) == is_said


def test_the_worst_chip_is_judged_and_not_one_that_was_the_worst_before():
    from benchmarks.papers import robustness
    from benchmarks.papers.crossbar_sections import worst_chips

    def block(smallest, seed, failed=0):
        point = {"smallest": smallest, "mean": 0.9, "largest": 0.95, "worst_seed": seed}
        point["draws_with_failed_samples"] = failed
        return {"trials": 10, "points": [point] * len(robustness.LEVELS)}

    rows = {
        "32 hidden; none": {"accuracy": {"circuit": 0.94}},
        "32 hidden; binary; block 0": block(0.8, 7),
        "32 hidden; binary; judge": {"seed": 7, "difference": 5e-14},
    }
    cells = worst_chips(rows)[-2].strip("| ").split(" | ")
    assert cells[:5] == ["32", "binary", "10", "94", "80 (90.0)"] and cells[-1] == "5e-14"
    later = worst_chips(rows | {"32 hidden; binary; block 1": block(0.7, 9, failed=2)})
    assert later[-2].strip("| ").split(" | ")[-1] == "-"
    assert "counts as wrong: 22 of 220 chips had one" in "\n".join(later)


def test_a_kanalogue_is_beaten_by_an_mlp_with_at_most_as_many_nodes():
    from benchmarks.papers.verdict_sections import contradictions

    def row(nodes, accuracy):
        return {"nodes": nodes, "accuracy": accuracy, "test_samples": 2000}

    nodes = {
        "MNIST; MLP, resonant tunnelling diode; 8 hidden": row(1000, 0.90),
        "MNIST; MLP, resonant tunnelling diode; 16 hidden": row(2000, 0.95),
        "MNIST; KANalogue, 2 devices; 4 hidden": row(999, 0.80),
        "MNIST; KANalogue, 2 devices; 8 hidden": row(1999, 0.89),
        "MNIST; KANalogue, 2 devices; 16 hidden": row(4000, 0.96),
    }
    others = {
        "table1": {},
        "bases": {},
        "robustness": {},
        "regression": {},
        "generation": {},
        "inference_time": {},
        "energy": {"rows": {}},
    }
    found = "\n".join(contradictions({"nodes": nodes} | others))
    assert "of 3 KANalogues of several sizes, 1 are no better than the best MLP" in found
    assert "1,999 nodes 89.00, MLP 1,000 nodes 90.00" in found


def test_a_network_of_other_images_is_not_taken(tmp_path):
    from benchmarks.papers.classifiers import RECIPES, trained
    from benchmarks.papers.data import Images, MissingDataError
    from benchmarks.papers.rows import Setting

    random = np.random.default_rng(0)
    arrays = [random.random((40, 6)), random.integers(0, 3, 40)] * 2
    name, setting = "MLP, tunnel diode", Setting(tmp_path, tmp_path / "results")
    some, others = (Images("MNIST", *arrays, origin=origin) for origin in ("some", "others"))
    first = trained(name, RECIPES[name], (6, 4, 3), some, setting)
    assert trained(name, RECIPES[name], (6, 4, 3), some, setting).facts == first.facts
    with pytest.raises(MissingDataError, match="of other images"):
        trained(name, RECIPES[name], (6, 4, 3), others, setting)


def test_idx_files_are_read_as_they_are_published(tmp_path, monkeypatch):
    from benchmarks.papers import data

    random = np.random.default_rng(0)
    for kind, count in (("train", 30), ("t10k", 10)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes()
        (tmp_path / f"{kind}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images.tobytes()))
        labels = random.integers(0, 10, count, dtype=np.uint8)
        header = bytes([0, 0, 8, 1]) + np.array(labels.shape, ">i4").tobytes()
        (tmp_path / f"{kind}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    monkeypatch.setenv(data.MNIST_FOLDER, str(tmp_path))
    data.mnist.cache_clear()
    found = data.mnist()
    data.mnist.cache_clear()
    assert found.inputs.shape == (30, 196)
    assert found.test_labels.tolist() == labels.tolist()
    flat = images[0].reshape(14, 2, 14, 2).mean(axis=(1, 3)) / 255
    assert abs(found.test_inputs[0].reshape(14, 14) - flat).max() < 0.5
    assert found.inputs.min() >= 0
    assert found.inputs.max() <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("rough_pictures")
def test_specimens_are_as_many_as_are_asked_for_and_of_the_study_that_is_asked_for(tmp_path):
    from benchmarks.papers.circuits import specimens

    digits = ROOT / "examples" / "01_kanalogue_digits"
    samples = tuple(np.load(digits / f"{name}.npy")[:4] for name in ("inputs", "labels"))
    measured = {"path": digits / "model.pt", "tech": "ideal", "set": ["devices.area_sigma=0.3"], "seed": 1}
    two, three, again = (specimens(tmp_path, samples=samples, trials=trials, **measured) for trials in (2, 3, 2))
    assert (two["trials"], three["trials"], again["trials"]) == (2, 3, 2)
    assert again["points"] == two["points"] != three["points"]
    for other in ({"seed": 2}, {"tech": "typical"}, {"samples": (samples[0][:3], samples[1][:3])}):
        with pytest.raises(InputError, match="another study is there"):
            specimens(tmp_path, trials=2, **({"samples": samples} | measured | other))


@pytest.mark.reference_data
@pytest.mark.slow
def test_one_network_goes_through_a_whole_row(tmp_path, reference_data):
    from benchmarks.papers import table1
    from benchmarks.papers.rows import Setting, known, measure

    setting = Setting(tmp_path, tmp_path / "results", quick=True)
    measure("table1", table1.rows(setting), setting, only="^MNIST; KANalogue, 2 devices, B")
    rows = known(tmp_path / "results" / "table1.json")
    mnist = {name.rpartition("; ")[2]: row for name, row in rows.items()}
    judges = {name: row for name, row in mnist.items() if name.startswith("judge")}  # VACASK's only where it is
    assert set(mnist) - {"judge of typical"} == {"network", "ideal", "typical", "causes", "judge"}
    assert mnist["network"]["parameters"] == 26_570
    assert mnist["network"]["accuracy"] > 0.5
    assert mnist["ideal"]["accuracy"]["circuit"] == mnist["ideal"]["accuracy"]["reference"]
    assert all(row["agrees"] and row["difference"] < 1e-9 for row in judges.values())


@pytest.mark.slow
def test_the_script_for_a_gpu_works_on_a_processor(tmp_path):
    script = [str(ROOT / "tools" / "gpu_check.sh"), str(tmp_path / "out"), "torch"]
    done = subprocess.run(
        script, env=os.environ | {"PYTHON": sys.executable}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in (tmp_path / "out" / "tests.txt").read_text()
    from benchmarks.papers.rows import known

    rows = known(tmp_path / "out" / "results" / "scale.json")
    assert rows["KANalogue 784-256-10; gain 1000, areas 5 %; torch"]["failed_samples"] == 0
