"""What each runtime can, as the contract suite found it: the table in the README, and why not in docs/runtimes.md.

python -m tests.harnesses.table writes both; with --check it only says whether they are what was found.
"""

import sys
import textwrap
from pathlib import Path

from tests.runtimes.contract import COLUMNS

from .conftest import Outcomes, read

HERE = Path(__file__).parents[2]
BEGIN, END = "<!-- contract -->\n", "<!-- /contract -->\n"
MARKS = {"yes": "✓", "FAILED": "**✗**", "": "?"}


def table(found: Outcomes) -> str:
    """A row for each runtime, with ✓ for what it keeps, and – for what it cannot. What all keep is said once."""
    kept = [column for column in COLUMNS if all(outcomes.get(column) == "yes" for outcomes in found.values())]
    told = [column for column in COLUMNS if column not in kept]
    lines = [f"All of them: {', '.join(COLUMNS[column] for column in kept)}.", ""] if kept else []
    lines += ["| | " + " | ".join(COLUMNS[column] for column in told) + " |", "|---|" + ":-:|" * len(told)]
    for runtime in ranked(found):
        cells = [MARKS.get(found[runtime].get(column, ""), "–") for column in told]
        lines.append(f"| `{runtime}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def reasons(found: Outcomes) -> str:
    """Why not: an item for each runtime, the same reason once."""
    lines = []
    for runtime in ranked(found):
        why: dict[str, list[str]] = {}
        for column in COLUMNS:
            if (words := found[runtime].get(column, "")) not in MARKS:
                why.setdefault(words.rstrip("."), []).append(COLUMNS[column])
        told = "; ".join(f"{', '.join(columns)} – {words}" for words, columns in why.items())
        lines += textwrap.wrap(f"- `{runtime}`: {told}", 140, subsequent_indent="  ", break_on_hyphens=False) if told else []
    return "\n".join(lines) + "\n"


def ranked(found: Outcomes) -> list[str]:
    """What is behind ACP comes last."""
    return sorted(found, key=lambda runtime: (runtime.startswith("acp"), runtime))


def put(text: str, new: str) -> str:
    """The text with this between the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no {BEGIN.strip()} … {END.strip()}")
    return before + begin + new + end + after


def main(arguments: list[str]) -> int:
    found, stale = read(), []
    for file, new in ((HERE / "README.md", table(found)), (HERE / "docs" / "runtimes.md", reasons(found))):
        old = file.read_text("utf-8")
        if put(old, new) != old:
            stale.append(str(file.relative_to(HERE)))
        if "--check" not in arguments:
            file.write_text(put(old, new), "utf-8")
    if stale and "--check" in arguments:
        print(f"{' and '.join(stale)} is not what the suite found; write it with: make test-harnesses", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
