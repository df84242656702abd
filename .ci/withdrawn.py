"""Fail if a package of this environment was withdrawn from the index that pip knows.

python .ci/withdrawn.py: pip's own report says it of each version that is installed here.
"""

import json
import subprocess
import sys
from typing import Any

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def _told(*words: str) -> Any:
    return json.loads(subprocess.check_output([*_PIP, *words]))


def main() -> int:
    """Print the versions that were withdrawn, and give the exit status."""
    rows = _told("list", "--format", "json", "--exclude-editable")
    pinned = [f"{row['name']}=={row['version']}" for row in rows]
    options = ("--dry-run", "--quiet", "--ignore-installed", "--no-deps", "--report", "-")
    found = _told("install", *options, *pinned)["install"]
    withdrawn = [row["metadata"] for row in found if row["is_yanked"]]
    for package in withdrawn:
        print(f"{package['name']} {package['version']} was withdrawn")
    print(f"{len(found)} packages, {len(withdrawn)} of them withdrawn")
    return 1 if withdrawn or len(found) != len(pinned) else 0


if __name__ == "__main__":
    sys.exit(main())
