"""agents/workspaces.yaml: what is wrong with it is told with the file, the key and the nearest right one."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.workspaces.files import Workspace, find, mistakes_of, parse, renewed
from tests.standins.stage import agent

HERE = "api:\n  repository: https://github.com/acme/api.git\n"


def wrong(text: str) -> list[str]:
    try:
        known = parse(text)
    except ConfigError as error:
        return str(error).splitlines()
    return [line for about in known.values() if isinstance(about, str) for line in about.splitlines()]


def test_a_workspace_with_all_that_can_be_said_of_one() -> None:
    text = HERE + (
        "  ref: v1.2\n  token: GITHUB_TOKEN\n  environment: [NPM_TOKEN]\n  files: {.npmrc: x}\n  cache: [node_modules]\n"
        "  setup: [npm ci]\n  setup_minutes: 5\n"
    )

    [(name, workspace)] = parse(text).items()

    assert isinstance(workspace, Workspace)
    assert (name, workspace.title, workspace.ref, workspace.setup) == ("api", "acme/api", "v1.2", ("npm ci",))


@pytest.mark.parametrize(
    ("repository", "title"),
    [("git@github.com:acme/api.git", "acme/api"), ("ssh://git@host/acme/api", "acme/api"), ("/srv/git/api", "git/api")],
)
def test_repositories_are_called_by_their_last_names(repository: str, title: str) -> None:
    assert Workspace(repository=repository).title == title


def test_an_unknown_key_is_told_with_the_nearest_right_one() -> None:
    assert wrong(HERE + "  setups: [make]\n") == ["agents/workspaces.yaml: api.setups: unknown key; did you mean 'setup'?"]


@pytest.mark.parametrize("login", ["ana:hunter2", "hunter2", "hunter2:"])
def test_a_password_in_an_address_is_refused_and_not_repeated(login: str) -> None:
    [said] = wrong(f"api:\n  repository: https://{login}@github.com/acme/api\n")

    assert said.startswith("agents/workspaces.yaml: api.repository: a password must not stand in an address; put it into a variable")
    assert "hunter2" not in said


def test_a_token_written_where_a_name_belongs_is_refused_and_not_repeated() -> None:
    [said] = wrong(HERE + "  token: ghp_0123456789\n")

    assert said == "agents/workspaces.yaml: api.token: write the variable's name here, never what it holds"


@pytest.mark.parametrize("repository", ["ext::sh -c touch% /tmp/x", "--upload-pack=x", "api"])
def test_what_is_no_address_is_told(repository: str) -> None:
    [said] = wrong(f"api:\n  repository: '{repository}'\n")

    assert "api.repository: write where it is: https://…" in said


@pytest.mark.parametrize("lines", ["  files: {../x: y}\n", "  cache: [/etc]\n", "  files: {.git/config: y}\n"])
def test_a_path_that_leads_out_is_told(lines: str) -> None:
    [said] = wrong(HERE + lines)

    assert "does not lie in the workspace" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("api: [", "this is no YAML"),
        ("- api", "it has to be names, each with keys and values below it"),
        ("api: here", "api: has to be keys and values, like `repository: https://…`"),
        ("API: {}", "API: a workspace's name has small letters"),
        ("api: {}", "api.repository: is missing"),
        (HERE + "  ref: --force\n", "api.ref: this is no branch, tag or commit"),
    ],
)
def test_what_else_is_wrong_is_told(text: str, words: str) -> None:
    assert wrong(text)[0].startswith(f"agents/workspaces.yaml: {words}")


def test_one_that_is_wrong_stops_only_the_agents_that_use_it() -> None:
    known = parse(HERE + "web: {}\n")

    assert find(known, agent(workspace="api")).title == "acme/api"
    with pytest.raises(ConfigError, match=r"agents/workspaces\.yaml: web.repository: is missing"):
        find(known, agent(workspace="web"))


@pytest.mark.parametrize("text", ["api: {}\n", "api: [", "- api"])
def test_one_that_was_good_stays_as_it_was_while_its_file_is_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "workspaces.yaml").write_text(HERE)
    known = renewed({}, tmp_path)

    (tmp_path / "workspaces.yaml").write_text(text)

    assert find(renewed(known, tmp_path), agent(workspace="api")).title == "acme/api"


def test_one_that_is_taken_out_is_gone(tmp_path: Path) -> None:
    (tmp_path / "workspaces.yaml").write_text("web:\n  repository: /srv/web\n")

    assert list(renewed(parse(HERE), tmp_path)) == ["web"]


def test_all_that_is_wrong_with_the_file_is_told_by_check(tmp_path: Path) -> None:
    (tmp_path / "workspaces.yaml").write_text(HERE + "web: {}\nAPP: {}\n")

    assert len(mistakes_of(tmp_path, [agent(workspace="web")])) == 2


def test_an_agent_that_names_none_of_them_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"agents/helper.md: workspace: there is no 'apy' in agents/workspaces\.yaml; did you mean 'api'"):
        find(parse(HERE), agent(workspace="apy"))


def test_all_mistakes_of_a_folder_are_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "workspaces.yaml").write_text(HERE)

    found = mistakes_of(tmp_path, [agent(workspace="api"), agent(workspace="web"), agent()])

    assert found == ["agents/helper.md: workspace: there is no 'web' in agents/workspaces.yaml; there are api"]


def test_a_folder_without_the_file_has_no_workspaces(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, [agent()]) == []
    assert mistakes_of(tmp_path, [agent(workspace="api")])[0].endswith("in agents/workspaces.yaml; it names none yet")
