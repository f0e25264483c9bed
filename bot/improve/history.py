"""What each version of an agent's file came to, and whether the newest change helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from bot.past import Choice, Past, Tried

CHOICES: tuple[Choice, ...] = ("new", "old", "same")
FAILED = ("failed", "rejected")
SURE = 0.1  # how likely it may be that chance alone would show a difference like this, where we call it one
FEW = 3  # turns, or rated ones, below which nothing is said


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an agent's file. `first` and `last` are when turns of it began (Unix seconds).

    `rated` turns are those with thumbs, `bad` those of them with a thumb down; `usd` is for all turns, `seconds` the median.
    """

    version: str
    first: float
    last: float
    turns: int
    rated: int
    bad: int
    failed: int
    usd: float
    seconds: float

    @property
    def each(self) -> float:
        """US dollars for one turn."""
        return self.usd / self.turns


def versions(past: Sequence[Past]) -> list[Version]:
    """Those that have had turns; the one that was used last stands last, also where it is an old one that came back."""
    by: dict[str, list[Past]] = {}
    for one in past:
        by.setdefault(one.version, []).append(one)
    return sorted((_version(name, turns) for name, turns in by.items()), key=lambda version: version.last)


def _version(name: str, past: Sequence[Past]) -> Version:
    began = [one.at for one in past]
    bad = sum(one.bad > 0 for one in past)
    rated = sum(one.bad + one.good > 0 for one in past)
    alone = [one.seconds for one in past if not one.waited] or [one.seconds for one in past]  # people's time is not the agent's
    failed = sum(one.state in FAILED for one in past)
    return Version(name, min(began), max(began), len(past), rated, bad, failed, sum(one.usd for one in past), median(alone))


def helped(found: Sequence[Version], tried: Sequence[Tried] = ()) -> str:
    """Whether the newest version is better than the one before it, in one plain line, with how sure that is."""
    if not found:
        return "Nothing is known yet: it has had no turn."
    if len(found) == 1:
        return f"There is nothing to compare yet: all its turns were of version {found[0].version}."
    old, new = found[-2:]
    between = next((one for one in tried if (one.old_version, one.new_version) == (old.version, new.version)), None)
    parts = [
        _thumbs(old, new),
        _failures(old, new),
        _cost(old, new),
        _time(old, new),
        f"in its trial {trial_words(between)}" if between else "",
    ]
    return f"{_verdict(old, new)} ({old.version} → {new.version}): {'; '.join(filter(None, parts))}."


def _verdict(old: Version, new: Version) -> str:
    """Thumbs count most, then failures; what may be chance is called so."""
    looks = [
        (_direction((old.bad, old.rated), (new.bad, new.rated)), _chance((old.bad, old.rated), (new.bad, new.rated))),
        (_direction((old.failed, old.turns), (new.failed, new.turns)), _chance((old.failed, old.turns), (new.failed, new.turns))),
    ]
    sure = [direction for direction, chance in looks if direction and chance <= SURE]
    if 1 in sure and -1 in sure:
        return "It is better in one thing and worse in another"
    if sure:
        return "The change helped" if sure[0] > 0 else "The change made it worse"
    if new.turns < FEW:
        return "Too early to say"
    direction = next((direction for direction, _ in looks if direction), 0)
    return {1: "It looks better, which may be chance", -1: "It looks worse, which may be chance", 0: "No difference is to be seen"}[
        direction
    ]


def _direction(old: tuple[int, int], new: tuple[int, int]) -> int:
    """1 where the share of what is bad has fallen, -1 where it has risen; 0 where nothing can be compared."""
    if not (old[1] and new[1]):
        return 0
    before, after = old[0] * new[1], new[0] * old[1]
    return (before > after) - (before < after)


def _chance(old: tuple[int, int], new: tuple[int, int]) -> float:
    """How likely chance alone would divide what is bad at least so unevenly, in this direction (Fisher's exact test, one side)."""
    (a, m), (b, n) = old, new
    if not (m and n):
        return 1.0
    bad, ways = a + b, comb(m + n, a + b)
    less = range(max(0, bad - m), b + 1) if b * m <= a * n else range(b, min(bad, n) + 1)
    return sum(comb(n, k) * comb(m, bad - k) for k in less) / ways


def _thumbs(old: Version, new: Version) -> str:
    if not (old.rated or new.rated):
        return "nobody rated an answer"
    return f"{new.bad} of {new.rated} rated answers were bad, and {old.bad} of {old.rated} before"


def _failures(old: Version, new: Version) -> str:
    return f"{new.failed} of {new.turns} turns failed, and {old.failed} of {old.turns} before" if old.failed or new.failed else ""


def _cost(old: Version, new: Version) -> str:
    return f"a turn costs {dollars(new.each)}, and cost {dollars(old.each)}" if old.usd or new.usd else ""


def _time(old: Version, new: Version) -> str:
    return f"it takes {span(new.seconds)}, and took {span(old.seconds)}"


def span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def dollars(usd: float) -> str:
    return f"${usd:.2f}" if usd >= 0.1 or not usd else f"${usd:.4f}"


def count(tried: Tried) -> str:
    said = f"{len(tried.runs)} {'run' if len(tried.runs) == 1 else 'runs'}"
    return f"{said} ({tried.failed})" if tried.failed else said


def compared(tried: Tried) -> str:
    """What a trial compares."""
    if tried.old_version == tried.new_version:
        return f"{tried.new_version} (unchanged)"
    return f"{tried.old_version or '(none)'} → {tried.new_version}"


def trial_words(tried: Tried) -> str:
    """What a trial came to, with people and judges apart."""
    said = [_votes(tried, "people", judge=False), _votes(tried, "a judge (an LLM)", judge=True), _verdicts(tried)]
    examples = [run for run in tried.runs if run.old is None]
    passed = sum(not run.missed and run.new.state == "completed" for run in examples)
    said += [f"{passed} of {len(examples)} examples passed"] if examples else []
    return ", ".join(filter(None, said)) or "nobody has voted yet"


def _votes(tried: Tried, who: str, *, judge: bool) -> str:
    new, old, same = (tried.count(choice, judge=judge) for choice in CHOICES)
    if not new + old + same:
        return ""
    return f"{who} found the new answer better in {new} of {new + old + same}, and the old in {old}"


def _verdicts(tried: Tried) -> str:
    good, bad = tried.count("good", judge=True), tried.count("bad", judge=True)
    return f"a judge (an LLM) found {good} of {good + bad} answers to examples good" if good + bad else ""
