"""Whether webhooks can be called is known before somebody does."""

import pytest

from bot.app import ready
from bot.settings import Settings
from tests.triggers.calls import PULLS, SECRET, agent


@pytest.mark.parametrize(
    ("more", "ok", "words"),
    [
        ({}, False, "HOOK is not set, so all calls are refused"),
        ({"environment": {"HOOK": ""}, "http_port": 80}, False, "HOOK is not set, so all calls are refused"),
        ({"environment": {"HOOK": SECRET}}, False, "HTTP_PORT is 0, so nobody can call"),
        ({"environment": {"HOOK": SECRET}, "http_port": 8080}, True, "is called at port 8080, /hooks/reviewer/github"),
        (
            {"environment": {"HOOK": SECRET}, "http_port": 8080, "public_url": "https://desk.example/"},
            True,
            "is called at https://desk.example/hooks/reviewer/github",
        ),
    ],
)
async def test_doctor_says_what_keeps_others_from_calling(more: dict[str, object], ok: bool, words: str) -> None:
    found = await ready.examined(Settings.model_validate(more), [agent(PULLS)])

    [hook] = [each for each in found if each.name == "webhook reviewer/github"]
    assert (hook.ok, hook.words) == (ok, words)
    assert ok or hook.remedy
