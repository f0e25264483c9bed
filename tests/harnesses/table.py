"""The table of what each runtime can, as the contract suite found it: `python -m tests.harnesses.table [--write] README.md`."""

import sys
from pathlib import Path

from tests.runtimes.contract import COLUMNS

from .conftest import Outcomes, read

BEGIN, END = "<!-- contract -->\n", "<!-- /contract -->\n"


def table(found: Outcomes) -> str:
    """A row for each runtime, with ✓ for what it keeps, and – for what it cannot, which the list below explains."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---|" + ":-:|" * len(COLUMNS)]
    why: list[str] = []
    for runtime, outcomes in sorted(found.items()):
        cells = [_cell(outcomes.get(column, "")) for column in COLUMNS]
        lines.append(f"| `{runtime}` | " + " | ".join(cells) + " |")
        cannot = [f"{COLUMNS[column]}: {words}" for column in COLUMNS if (words := outcomes.get(column, "")) not in ("yes", "FAILED", "")]
        why += [f"- `{runtime}`: {'; '.join(cannot)}"] if cannot else []
    return "\n".join([*lines, "", *why]) + "\n"


def _cell(outcome: str) -> str:
    return {"yes": "✓", "FAILED": "**✗**", "": "?"}.get(outcome, "–")


def main(arguments: list[str]) -> int:
    file = Path(arguments[-1])
    text, new = file.read_text("utf-8"), table(read())
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    if "--write" in arguments:
        file.write_text(before + BEGIN + new + END + after, "utf-8")
        return 0
    if old != new:
        print(
            f"The table in {file} is not what the suite found; write it with: python -m tests.harnesses.table --write {file}",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
