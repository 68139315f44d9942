"""What the metadata of the Python packages say is what lies in their folders."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def metadata(folder):
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())


@pytest.mark.parametrize("folder", ["client", "worker"])
def test_a_package_has_a_readme_and_says_what_it_is(folder):
    project = metadata(folder)["project"]
    assert (ROOT / folder / project["readme"]).read_text().startswith(f"# {project['name']}\n")
    assert project["description"] and project["keywords"] and project["classifiers"]


@pytest.mark.parametrize("folder", ["client", "worker"])
def test_a_package_installs_all_of_its_modules_and_data(folder):
    told = metadata(folder)["tool"]["setuptools"]
    (package,) = told["package-data"]
    files = [
        each
        for each in (ROOT / folder / package).rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    ]
    modules = {
        ".".join(each.parent.relative_to(ROOT / folder).parts)
        for each in files
        if each.suffix == ".py"
    }
    assert modules == set(told["packages"])
    data = [
        str(each.relative_to(ROOT / folder / package)) for each in files if each.suffix != ".py"
    ]
    patterns = told["package-data"][package]
    left_out = [each for each in data if not any(fnmatch(each, pattern) for pattern in patterns)]
    assert left_out == []


def test_the_client_needs_no_other_package():
    assert metadata("client")["project"]["dependencies"] == []
