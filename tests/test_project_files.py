"""What stands in several files of the project is the same in all of them, and what they name is there."""

from __future__ import annotations

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
IN_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
LINK = re.compile(r"\[[^\]]+\]\((?!https?://|#)([^)#]+)[^)]*\)")
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def workflow() -> dict:
    return yaml.safe_load(read(".github/workflows/ci.yml"))


def test_versions_agree():
    version, citation, recipe = (
        PROJECT["version"],
        yaml.safe_load(read("CITATION.cff")),
        yaml.safe_load(read("conda-recipe/recipe.yaml")),
    )
    released = re.search(r"^## \[(\d\S*)\] - (\S+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert released.groups() == (version, citation["date-released"])
    assert (citation["version"], recipe["context"]["version"]) == (version, version)
    assert read("CHANGELOG.md").index("## [Unreleased]") < released.start()


def test_licences_and_pythons_agree():
    citation, recipe = yaml.safe_load(read("CITATION.cff")), yaml.safe_load(read("conda-recipe/recipe.yaml"))
    assert PROJECT["license"] == citation["license"] == recipe["about"]["license"] == "MIT"
    assert read("LICENSE").startswith("MIT License")
    said = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert said == PYTHONS == workflow()["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert set(workflow()["jobs"]["wheel"]["strategy"]["matrix"]["python"]) <= set(PYTHONS)


def test_the_conda_recipe_needs_what_the_wheel_needs_and_ngspice():
    run = yaml.safe_load(read("conda-recipe/recipe.yaml"))["requirements"]["run"]
    wheel = {tuple(re.split("(?=>=)", line)) for line in PROJECT["dependencies"]}
    assert {tuple(line.split(" ")) if " " in line else (line,) for line in run} == {
        *((IN_CONDA.get(name, name).lower(), version) for name, version in wheel),
        ("python", PROJECT["requires-python"]),
        ("ngspice",),
    }


def test_the_workflow_runs_what_there_is():
    found = workflow()
    assert found["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z.-]+):", read("Makefile"), re.MULTILINE)) | {".venv/.installed-dev"}
    for job in found["jobs"].values():
        for step in job["steps"]:
            assert step.keys() <= {"name", "uses", "with", "run", "if", "env", "shell"}
            assert ("uses" in step) != ("run" in step)
            script = step.get("run", "")
            for called in re.findall(r"^\s*make ([^\n]+)$", script, re.MULTILINE):
                assert {word for word in called.split() if "=" not in word} <= targets
            assert all((ROOT / name).is_file() for name in re.findall(r"tools/\S+\.sh", script))


def test_issue_forms_are_what_github_understands():
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert [path.stem for path in forms] == ["bug", "config", "wish"]
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.stem != "config":
            assert form["name"]
            assert form["description"]
            ids = [part["id"] for part in form["body"]]
            assert len(ids) == len(set(ids))
            assert all(part["type"] == "textarea" and part["attributes"]["label"] for part in form["body"])


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_lead_somewhere(page):
    missing = [link for link in LINK.findall(read(page)) if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def test_the_readme_of_the_package_has_no_link_that_leads_nowhere():
    spec = spec_from_file_location("pypi_readme", ROOT / "tools" / "pypi_readme.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    metadata = {}
    module.ReadmeOfThePackage(str(ROOT), {}).update(metadata)
    text = metadata["readme"]["text"]
    assert LINK.findall(read("README.md"))
    assert LINK.findall(text) == []
    assert "[ngspice](https://ngspice.sourceforge.io)" in text
    assert text.startswith("# kanspice")
