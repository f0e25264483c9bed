"""A text that nobody has allowed yet is looked at: nothing of it runs, and whom it takes a place from is told."""

import sys
from pathlib import Path

import pytest

from bot.agent import parse
from bot.app.lent import Lent
from bot.app.shelf import HERE, Folder
from bot.change import Note
from bot.errors import ConfigError
from bot.past import Change
from bot.runtimes import build
from tests.app.test_lab import settings

OWN = "---\ndescription: x\nruntime: {}\n---\nHi.\n"


def module(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime of one's own, which is loaded once somebody looks at it."""
    (folder / f"{name}.py").write_text("class Own:\n    pass\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("runtime", ["own_stranger:Own", "echo\nfallback: ['own_stranger:Own']"])
async def test_no_module_is_loaded_that_nobody_has_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    module(tmp_path, "own_stranger", monkeypatch)

    [wrong] = await Folder(tmp_path).wrong("helper", OWN.format(runtime), new=False)

    assert wrong.startswith("agents/helper.md: no agent here has the runtime 'own_stranger:Own', so it is not loaded")
    assert "own_stranger" not in sys.modules


async def test_the_module_that_an_agent_here_has_can_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, "own_known", monkeypatch)
    agents = (parse("helper", OWN.format("own_known:Own")),)

    assert await Folder(tmp_path, agents=lambda: agents).wrong("helper", OWN.format("own_known:Own") + "More.\n", new=False) == []


def test_what_an_agent_leaves_in_its_session_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sessions", raising=False)
    there = tmp_path / "sessions" / "s1" / "session"
    there.mkdir(parents=True)
    (there / "planted.py").write_text("class Own:\n    pass\n")
    Lent(settings(tmp_path))

    with pytest.raises(ConfigError, match=r"sessions\.s1\.session\.planted is where agents write; keep modules of your own outside"):
        build(parse("helper", OWN.format("'sessions.s1.session.planted:Own'")))


@pytest.mark.parametrize(("shared", "more"), [(False, "."), (True, HERE)])
async def test_where_replicas_may_have_folders_of_their_own_it_counts_in_this_one(tmp_path: Path, shared: bool, more: str) -> None:
    change = Change("helper", "", OWN.format("echo"), "", "ana")

    said = await Folder(tmp_path, shared=shared).put(change, Note("n1", "A helper"))

    assert said == f"agents/helper.md is written, and counts from now on{more}"


async def test_a_place_that_another_has_is_told_by_its_name(tmp_path: Path) -> None:
    async def place(name: str) -> str:
        return {"#incidents": "C12"}.get(name, "")

    other = parse("look", OWN.format("echo\ntriggers: [{mention: [C12]}]"))
    shelf = Folder(tmp_path, agents=lambda: (other,), place=place)

    wrong = await shelf.wrong("aaa", OWN.format("echo\ntriggers: [{mention: ['#incidents', '#other']}]"), new=True)

    assert wrong == ["agents/look.md and agents/aaa.md both claim mentions in #incidents; remove it from one of them"]


async def test_a_place_that_both_have_already_keeps_nothing_from_being_mended(tmp_path: Path) -> None:
    mine = OWN.format("echo\ntriggers: [{mention: [C12]}]")
    agents = (parse("helper", mine), parse("look", mine))

    assert await Folder(tmp_path, agents=lambda: agents).wrong("helper", mine + "More.\n", new=False) == []
