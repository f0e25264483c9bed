"""The runtime `stream_json` against the contract, with Claude Code's own binary as the command that speaks it."""

from bot.errors import RuntimeFailed
from bot.runtimes.claude_setting import BUNDLED
from tests.runtimes.contract import Harness
from tests.runtimes.hardship import Hardship

from .test_claude_code import PLAN, ask, shell

COMMAND = (
    str(BUNDLED), "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", "--include-partial-messages",
    "--permission-prompt-tool", "stdio", "--setting-sources", "", "--model", "claude-sonnet-5",
)  # fmt: skip


class TestStreamJson(Hardship):
    name = "stream_json"
    silent = RuntimeFailed
    harness = Harness(
        "stream_json",
        shell=shell,
        environment=lambda url: {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "sk-test",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
        },
        ask=ask,
        plan=PLAN,
        options={"command": (*COMMAND, "--allowedTools", "Bash")},
        asks={"command": COMMAND},
    )

    def _binary(self) -> str:
        return str(BUNDLED)
