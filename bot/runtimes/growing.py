"""An answer that grows, as platforms tell it: each message in pieces, as a whole, or both. Pure."""

from collections.abc import Iterator

from bot.event import Text


class Told:
    """The messages of one turn, one after the other."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}

    def piece(self, key: str, text: str) -> Iterator[Text]:
        text = text if key in self.messages else text.lstrip("\n")
        if not text:
            return
        lead = "\n\n" if key not in self.messages and any(self.messages.values()) else ""
        last = next(reversed(self.messages), key)
        self.messages[key] = self.messages.get(key, "") + text
        yield Text(lead + text) if last == key or lead or len(self.messages) == 1 else Text(self.whole, final=True)

    def message(self, key: str, text: str) -> Iterator[Text]:
        """The same message as it is in the end."""
        old, text = self.messages.get(key, ""), text.lstrip("\n")
        if text == old:
            return
        if text.startswith(old):
            yield from self.piece(key, text[len(old) :])
        else:
            self.messages[key] = text
            yield Text(self.whole, final=True)

    @property
    def whole(self) -> str:
        return "\n\n".join(text for text in self.messages.values() if text)

    def all(self, texts: list[str]) -> Iterator[Text]:
        """All messages as they are in the end, where their keys are not known."""
        whole = "\n\n".join(text.strip("\n") for text in texts if text.strip())
        if whole.split() == self.whole.split():
            return
        before, self.messages = self.whole, {"": whole}
        yield Text(whole[len(before) :]) if whole.startswith(before) else Text(whole, final=True)
