"""Where others write too, no link that they left is followed."""

import os
from pathlib import Path

import pytest

from bot import nofollow


def test_what_is_written_stands_in_place_of_a_link_and_not_behind_it(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    for name in ("config.toml", "config.toml.new"):
        (tmp_path / name).symlink_to(tmp_path / "precious")

    nofollow.write(tmp_path / "config.toml", "a = 1")

    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "config.toml").read_text() == "a = 1"
    assert not (tmp_path / "config.toml").is_symlink()


def test_a_file_is_opened_by_its_path_and_by_a_link_within(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("here")
    (tmp_path / "link").symlink_to("sub")

    for path in ("sub/a.txt", "link/a.txt"):
        with nofollow.opened(tmp_path, path) as file:
            assert file.read() == b"here"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "out/passwd", "fifo", ".", "nothing"])
def test_what_is_elsewhere_or_no_file_is_not_opened(tmp_path: Path, path: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").touch()
    (work / "out").symlink_to("/etc")
    os.mkfifo(work / "fifo")

    with pytest.raises(OSError), nofollow.opened(work, path):  # noqa: PT011  (each has words of its own)
        pass


def test_a_folder_that_becomes_a_link_after_the_look_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").symlink_to("/etc")
    monkeypatch.setattr(Path, "resolve", lambda path: path)  # as if it had been none then

    with pytest.raises(OSError), nofollow.opened(tmp_path, "sub/passwd"):  # noqa: PT011
        pass
