"""The real harnesses, driven by the contract suite: `make test-harnesses` installs them in .harnesses and runs these tests."""

from pathlib import Path

ROOT = Path(__file__).parents[2] / ".harnesses"


def harness(name: str) -> str:
    """Where the real one is, by the name of its command."""
    places = [ROOT / "node_modules" / ".bin" / name, *(ROOT / folder / "bin" / name for folder in ("hermes", "deepagents", "litellm"))]
    for place in places:
        if place.exists():
            return str(place)
    raise FileNotFoundError(f"{name} is not in {ROOT}: run make test-harnesses, which installs it")
