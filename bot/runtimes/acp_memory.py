"""What has to be known of an ACP session in its agent's next process."""

from bot.event import Usage
from bot.runtimes import memory


class Memory(memory.Memory):
    """`instructions` are those that the agent was given."""

    file = "acp.json"
    session: str = ""
    instructions: str = ""

    def of(self, session: str) -> None:
        """Forget what belongs to another session than this."""
        if session != self.session:
            self.session, self.usd, self.instructions = session, 0.0, ""


def since(now: Usage, before: Usage) -> Usage:
    """The tokens between two counts of the same process."""
    return Usage(
        max(0, now.input_tokens - before.input_tokens), max(0, now.output_tokens - before.output_tokens),
        max(0, now.cached_tokens - before.cached_tokens),
    )  # fmt: skip
