"""Nebari and QHub side by side on the same mistakes; `python -m tests.bench.side_by_side` writes the page in docs/."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from qhub.config.check import check_settings_file
from tests.bench.measuring import NotMeasured
from tests.bench.nebari import VERSION, told_by_nebari
from tests.bench.pairs import PAIRS, Pair

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "side-by-side.md"
_TOP = f"""# The same mistakes, told by Nebari and by QHub

`nebari validate` of Nebari {VERSION} from the Python registry, and `qhub validate`, on the same mistakes, each written
in that one's own file. What is no mistake to one of them (Nebari takes secrets in plain text, and has its groups in
Keycloak) is left out. `python -m tests.bench.side_by_side` makes this page; the files are in `tests/bench/pairs.py`.

Told: the command ends with an error. Key: its message has the key in it. Line: it has the line in the file.

"""


def told_by_us(pair: Pair) -> str | None:
    """Return what `qhub validate` says of our file; None where it has nothing against it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.prod.yaml"
        file.write_text(pair.our_file, encoding="utf-8")
        (Path(folder) / "Pulumi.yaml").write_text("name: qhub\nruntime: python\n", encoding="utf-8")
        check = check_settings_file(file, root=Path(folder))
    return "\n".join(str(mistake) for mistake in check.mistakes) or None


def marks(said: str | None, key: str) -> tuple[bool, bool, bool]:
    """Return whether a mistake was told, with its key, with its line."""
    if said is None:
        return False, False, False
    return True, key in said, re.search(r"(yaml:\d+:\d+|line \d+)", said) is not None


def page(theirs: list[str | None]) -> str:
    """Return the page.

    Args:
        theirs: what Nebari says of each pair.
    """
    rows, sums = [], [0] * 6
    for pair, said in zip(PAIRS, theirs, strict=True):
        found = (*marks(said, pair.keys[0]), *marks(told_by_us(pair), pair.keys[1]))
        sums = [total + one for total, one in zip(sums, found, strict=True)]
        rows.append(f"| {pair.what} | {' | '.join('yes' if one else '–' for one in found)} |")  # noqa: RUF001
    head = "| mistake | Nebari: told | key | line | QHub: told | key | line |\n|---|---|---|---|---|---|---|\n"
    last = f"| **of {len(PAIRS)}** | {' | '.join(f'**{total}**' for total in sums)} |\n"
    return f"{_TOP}{head}" + "\n".join(rows) + f"\n{last}"


def main() -> int:
    """Write the page; return 1 where Nebari cannot be had."""
    try:
        theirs = told_by_nebari(ROOT, [pair.their_file for pair in PAIRS])
    except NotMeasured as error:
        sys.stderr.write(f"NOT COMPARED: {error}\n")
        return 1
    PAGE.write_text(page(theirs), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
