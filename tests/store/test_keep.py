"""What runtimes keep of their sessions."""

from bot.message import Person
from bot.session import Session
from bot.store.sql import SqlStore

ANA = Person("U1", "Ana")


async def test_what_is_kept_is_found_again_in_its_order_and_under_its_key(store: SqlStore) -> None:
    for name in ("a", "b"):
        await store.start(Session(name, "helper", f"slack:T1:C1:{name}", ANA, "C1"))

    await store.keep("a").append("talk", ["one", 'two "☂" \\u0000'])
    await store.keep("a").append("talk", ["three"])
    await store.keep("a").append("memory", ["else"])
    await store.keep("b").append("talk", ["another's"])

    assert await store.keep("a").load("talk") == ["one", 'two "☂" \\u0000', "three"]
    assert await store.keep("b").load("talk") == ["another's"]


async def test_nothing_is_kept_of_what_was_never_told(store: SqlStore) -> None:
    await store.start(Session("a", "helper", "slack:T1:C1:1", ANA, "C1"))

    await store.keep("a").append("talk", [])

    assert await store.keep("a").load("talk") == []
