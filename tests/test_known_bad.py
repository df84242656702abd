"""Nobody who installs this gets a version that is known to be bad.

The advisories in `known_bad.json` are those of packages that this project asks for, as they are
published under these ids. No service is asked: what is new there has to be written down.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

if sys.version_info < (3, 11):
    import tomli as tomllib
else:
    import tomllib

ROOT = Path(__file__).parents[1]


class Advisory(NamedTuple):
    """Versions of a package that are known to be bad: from one on, before another."""

    name: str
    start: Version
    fixed: Version
    id: str

    def is_about(self, version: Version) -> bool:
        return self.start <= version < self.fixed


ADVISORIES = [
    Advisory(row["name"], Version(row.get("from", "0")), Version(row["before"]), row["id"])
    for row in json.loads(Path(__file__).with_name("known_bad.json").read_text())
]


def asked_for() -> Iterator[Requirement]:
    """Give what is asked for at run time, in any extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for row in [*project["dependencies"], *chain.from_iterable(extras)]:
        if not row.startswith(project["name"]):
            yield Requirement(row)


def lowest(requirement: Requirement) -> Version:
    """Give the lowest version that is taken; there has to be one."""
    (version,) = [one.version for one in requirement.specifier if one.operator in (">=", "==")]
    return Version(version)


def installed(name: str) -> Version | None:
    try:
        return Version(metadata.version(name))
    except metadata.PackageNotFoundError:
        return None


MINIMUMS = {canonicalize_name(row.name): lowest(row) for row in asked_for()}


@pytest.mark.parametrize("advisory", ADVISORIES, ids=lambda one: f"{one.name}-{one.id}")
def test_no_version_that_is_taken_is_known_to_be_bad(advisory: Advisory):
    versions = {MINIMUMS.get(canonicalize_name(advisory.name)), installed(advisory.name)}

    bad = [str(version) for version in versions - {None} if version and advisory.is_about(version)]

    assert versions != {None}, f"nobody asks for {advisory.name} any more"
    assert not bad, f"{advisory.name} {' and '.join(bad)}: {advisory.id}"


@pytest.mark.parametrize("name", sorted(MINIMUMS))
def test_each_minimum_is_a_version_that_is_installed_or_older(name: NormalizedName):
    version = installed(name)

    assert version is not None
    assert MINIMUMS[name] <= version


@pytest.mark.parametrize("advisory", ADVISORIES, ids=lambda one: f"{one.name}-{one.id}")
def test_an_advisory_is_about_the_versions_before_its_fix(advisory: Advisory):
    assert advisory.is_about(advisory.start)
    assert not advisory.is_about(advisory.fixed)
    assert re.fullmatch(r"CVE-\d{4}-\d+|GHSA(-[0-9a-z]{4}){3}", advisory.id)
