"""Turns in Kubernetes: its own client, a stand-in for the API server, and our shim with a harness that needs no model."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Started, Text, Usage
from bot.ports import Turn
from bot.runtimes import kubernetes, runtime_of
from bot.shim.server import Shim
from tests.standins.cluster import READY, Cluster
from tests.standins.front import Front
from tests.standins.wall import Wall

from .conftest import TOKEN
from .remote import Kept
from .talk import ANNA, after, talked, talking


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as people would."""
    monkeypatch.setattr(kubernetes, "LOOK", 0.02)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not ready is told at once."""
    monkeypatch.setattr(kubernetes, "TOLD", 0.0)


@pytest.fixture
async def cluster(shim: Shim) -> AsyncIterator[Cluster]:
    async with Cluster(f"http://127.0.0.1:{shim.port}") as cluster:
        yield cluster


def turn(folder: Path, cluster: Cluster, prompt: str = "hello", *, token: str = "", secret: str = TOKEN, **options: Any) -> Turn:
    place = {"kubeconfig": str(cluster.kubeconfig(folder / "kubeconfig", token)), "namespace": "desk"}
    given = {**place, "image": "desk/shim:1", "secret": "shim", "harness": {"runtime": "echo"}, **options}
    agent = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "kubernetes", "options": given})
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, environment={"SHIM_TOKEN": secret}, keep=Kept())


@pytest.mark.parametrize(("kind", "things"), [("job", "jobs"), ("sandbox", "sandboxes")])
async def test_a_session_has_a_pod_of_its_own(cluster: Cluster, tmp_path: Path, kind: str, things: str) -> None:
    talk = await talked(turn(tmp_path, cluster, "!cost 0.5\n!say hello", kind=kind))
    await talked(after(talk, "and more"))

    assert (talk.answered, talk.finished.state) == ("hello\n", "completed")
    assert len(cluster.all(things)) == len(cluster.all("pods")) == 1


async def test_a_pod_may_do_nothing_and_knows_its_secret_by_name_only(cluster: Cluster, tmp_path: Path) -> None:
    await talked(turn(tmp_path, cluster))

    [job] = cluster.all("jobs")
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "shim"}}]
    assert TOKEN not in str(job)


async def test_another_session_has_another_pod(cluster: Cluster, tmp_path: Path) -> None:
    await talked(turn(tmp_path, cluster))
    await talked(replace(turn(tmp_path, cluster), session_id="s2"))

    assert len({pod["metadata"]["labels"]["frontdesk/session"] for pod in cluster.all("pods")}) == 2


async def test_one_that_is_over_is_made_anew(cluster: Cluster, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path, cluster))
    [job] = cluster.all("jobs")
    job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    await talked(after(talk, "and more"))

    assert cluster.dropped == [job["metadata"]["name"]]
    assert cluster.all("jobs")[0]["metadata"]["uid"] != job["metadata"]["uid"]


@pytest.mark.usefixtures("impatient")
async def test_what_it_waits_for_is_told(cluster: Cluster, tmp_path: Path) -> None:
    why = "0/3 nodes are available: 3 Insufficient memory."
    cluster.pod = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": why}]}
    async with talking(turn(tmp_path, cluster)) as talk:
        await talk.until(lambda: talk.all(Notice))
        cluster.all("pods")[0]["status"] = READY
        await talk.task

    assert isinstance(talk.events[0], Started)
    assert [notice.text for notice in talk.all(Notice)] == [f"The cluster has no room yet: {why}"]
    assert talk.finished.state == "completed"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}, r"image cannot be had.*options\.image"),
        ({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "shim" not found'}}, r"options\.secret.*not found"),
        ({"terminated": {"reason": "Error", "exitCode": 2}}, r"it ended \(Error, exit code 2\)"),
    ],
)
async def test_a_pod_that_will_not_come_is_told_with_the_remedy(
    cluster: Cluster, tmp_path: Path, state: dict[str, Any], words: str
) -> None:
    cluster.pod = {"phase": "Pending", "containerStatuses": [{"name": "shim", "state": state}]}

    with pytest.raises(Unavailable, match=words):
        await talked(turn(tmp_path, cluster))


async def test_one_that_takes_too_long_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.pod = {"phase": "Pending"}

    with pytest.raises(RuntimeFailed, match=r"not ready within 0\.2 seconds"):
        await talked(turn(tmp_path, cluster, start_seconds=0.2))


@pytest.mark.parametrize("seed", range(8))
async def test_a_stream_that_is_cut_at_any_moment_goes_on_with_no_text_twice(cluster: Cluster, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    cluster.cut = [chance.randint(0, 1200) for _ in range(3)]

    talk = await talked(turn(tmp_path, cluster, "!say one\n!say two\n!step Look\n!cost 1\n!say three"))

    assert talk.answered == "one\ntwo\nthree\n"
    assert len(talk.all(Usage)) == 1


async def test_a_pod_that_is_killed_in_the_middle_is_told(cluster: Cluster, shim: Shim, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, cluster, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))
        killed = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
        cluster.all("pods")[0]["status"] = {"phase": "Failed", "containerStatuses": [{"state": killed}]}
        cluster.container = "http://127.0.0.1:1"
        await shim._runner.cleanup()

        with pytest.raises(RuntimeFailed, match=r"not there any more: it ended \(OOMKilled"):
            await talk.task


async def test_a_pod_that_is_told_to_end_says_so(cluster: Cluster, shim: Shim, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, cluster, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))
        await shim.close()
        await talk.task

    assert talk.finished.reason.startswith("The container in which this ran was told to end")


async def test_a_process_that_leaves_lets_it_go_on_and_the_next_one_tells_it_anew(cluster: Cluster, tmp_path: Path) -> None:
    left = replace(turn(tmp_path, cluster, "!cost 1\n!say one\n!slow 0.2\n!say two"), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Text))

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "one\ntwo\n"
    assert again.all(Usage) == []


async def test_a_stop_stops_the_harness_and_keeps_the_pod(cluster: Cluster, shim: Shim, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, cluster, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))

    assert not shim.busy
    assert cluster.dropped == []


async def test_where_the_shim_does_not_stop_it_the_pod_is_taken_away(cluster: Cluster, tmp_path: Path) -> None:
    async with talking(turn(tmp_path, cluster, "!say one\n!slow 30\n!say two")) as talk:
        await talk.until(lambda: talk.all(Text))
        cluster.container = "http://127.0.0.1:1"

    assert len(cluster.dropped) == 1


@pytest.mark.parametrize(
    ("refusals", "words"),
    [
        ([(403, "jobs is forbidden: no right")], r"does not allow it \(403\).*no right"),
        ([(404, "none"), (403, "exceeded quota: desk")], r"does not allow it \(403\).*exceeded quota"),
        ([(404, "none"), (404, "the server could not find the requested resource")], "installed there"),
        ([(400, "odd")], r"refused it \(400\).*odd"),
    ],
)
async def test_a_refusal_is_told_with_the_remedy(cluster: Cluster, tmp_path: Path, refusals: list[tuple[int, str]], words: str) -> None:
    cluster.refuse = refusals

    with pytest.raises(Unavailable, match=words):
        await talked(turn(tmp_path, cluster))


async def test_a_cluster_that_is_busy_is_asked_again(cluster: Cluster, tmp_path: Path) -> None:
    cluster.cut = [700]
    async with talking(turn(tmp_path, cluster, "!say one\n!say two\n!slow 0.1\n!say three")) as talk:
        await talk.until(lambda: talk.all(Text))
        cluster.refuse = [(429, "slow down"), (503, "etcd")]
        await talk.task

    assert talk.answered == "one\ntwo\nthree\n"


async def test_a_token_that_has_expired_is_told_and_not_shown(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"\(401\).*options\.kubeconfig.*expired") as caught:
        await talked(turn(tmp_path, cluster, token="an-old-token"))

    assert "an-old-token" not in str(caught.value)


async def test_one_that_expires_in_the_middle_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.cut = [700]
    async with talking(turn(tmp_path, cluster, "!say one\n!say two\n!slow 0.1\n!say three")) as talk:
        await talk.until(lambda: talk.all(Text))
        cluster.token = "a-new-token"
        with pytest.raises(RuntimeFailed, match=r"does not know us \(401\)") as caught:
            await talk.task

    assert not isinstance(caught.value, Unavailable)


async def test_another_token_than_the_secret_holds_is_told(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"options\.token is not what its Secret holds"):
        await talked(turn(tmp_path, cluster, secret="another-one-altogether"))


async def test_a_web_page_in_place_of_a_cluster_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.page = True

    with pytest.raises(Unavailable, match="no Kubernetes"):
        await talked(turn(tmp_path, cluster))


async def test_nobody_is_followed_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    async with Front(cluster.url) as front, Wall() as elsewhere:
        front.refuse(307, b"", {"Location": f"{elsewhere.url}/?token=s3cret"})
        cluster.url = front.url
        with pytest.raises(Unavailable, match=r"sends us on to 127\.0\.0\.1:\d+, which is no cluster of ours"):
            await talked(turn(tmp_path, cluster))

    assert not elsewhere.asked


async def test_the_doctor_says_whether_it_is_there(cluster: Cluster, tmp_path: Path) -> None:
    given = turn(tmp_path, cluster)
    runtime = cast(kubernetes.Kubernetes, runtime_of(given.agent))
    await runtime.reach(given.agent, {})
    cluster.refuse = [(403, "pods is forbidden")]

    with pytest.raises(Unavailable, match="does not allow it"):
        await runtime.reach(given.agent, {})


async def test_a_kubeconfig_that_is_not_there_is_told_once(cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable, match=r"is not known \(there is no .*/nowhere\): look at options\.kubeconfig"):
        await talked(turn(tmp_path, cluster, kubeconfig=str(tmp_path / "nowhere")))

    assert not caplog.records
