"""What nobody knows is kept and said once, whatever it is and wherever it is to be kept."""

import json
from pathlib import Path

from bot.runtimes.unknown import FILE, MANY, Unknown


def test_it_is_said_once_in_a_session_also_after_a_line_that_was_cut(tmp_path: Path) -> None:
    Unknown(tmp_path).told({"depth": 3}, "hologram")
    with (tmp_path / FILE).open("a") as file:
        file.write('{"name": "half\n')

    later = Unknown(tmp_path)

    assert not later.told({"depth": 4}, "hologram")
    assert later.told({}, "half")


def test_secrets_and_what_no_file_can_hold_are_left_out(tmp_path: Path) -> None:
    Unknown(tmp_path, lambda text: text.replace("s3cret", "…")).told({"key": "s3cret", "half": "\ud83d"}, "odd s3cret")

    assert json.loads((tmp_path / FILE).read_text()) == {"name": "odd …", "raw": {"key": "…", "half": "?"}}


def test_one_that_is_huge_is_kept_by_its_name(tmp_path: Path) -> None:
    Unknown(tmp_path).told("x" * 1_000_000, "flood")

    assert json.loads((tmp_path / FILE).read_text()) == {"name": "flood"}


def test_where_each_has_a_name_of_its_own_that_is_not_told_for_ever(tmp_path: Path) -> None:
    unknown = Unknown(tmp_path)

    assert sum(len(unknown.told({}, f"event {number}")) for number in range(2 * MANY)) == MANY


def test_where_it_cannot_be_kept_it_is_told_all_the_same_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")

    [notice] = Unknown(tmp_path).told({}, "odd")

    assert notice.text == "The agent told of something that frontdesk does not know (odd); it could not be kept."
    assert not (tmp_path / "elsewhere").exists()
