"""The sandbox's whole repertoire of faults, a few at a time, for as long as a block lasts."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tests.sandbox_client import SandboxClient

TICK = 0.4
# Every kind that can strike a call of Alipay (tmall_sp/sandbox/faults.py), and every one of a notification.
OF_A_CALL = {
    *("http_502", "drop", "executes_then_drops", "garbage", "delay"),
    *("no_sign", "bad_sign", "wrong_values", "code_20000", "system_error", "sub_code"),
}
OF_A_NOTIFICATION = {"lost", "doubled", "late", "reordered", "forged"}


@dataclass(frozen=True)
class Card:
    """One fault to be ordered. `label` is what it is counted by."""

    kind: str
    label: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


def unknown_outcomes(*, wrong: Mapping[str, Any]) -> list[Card]:
    """After each of these the caller can't know whether its call was executed; `wrong` is an answer about another."""
    both = [("executed", {"executed": True}), ("not executed", {"executed": False})]
    kinds = ("code_20000", "system_error", "http_502", "garbage")
    return [
        *(Card(kind, f"{kind}, {words}", params) for kind in kinds for words, params in both),
        Card("sub_code", "an unknown code, executed", {"sub_code": "ACQ.NEWS", "executed": True}),
        Card("sub_code", "an unknown code, not executed", {"sub_code": "ACQ.NEWS"}),
        Card("drop"),
        Card("executes_then_drops"),
        Card("no_sign"),
        Card("bad_sign"),
        Card("wrong_values", params={"set": wrong}),
        Card("delay", "delay", {"seconds": 1.5}),
        Card("delay", "delay of the answer", {"seconds": 2.5, "after": True}),
    ]


def not_executed(*codes: str) -> list[Card]:
    """Refusals that pass by themselves: the rate limit, and codes that the caller may try again."""
    limited = Card("sub_code", "40005", {"code": "40005", "sub_code": "isv.app-call-limited"})
    return [limited, *(Card("sub_code", code, {"sub_code": code}) for code in codes)]


def too_late() -> Card:
    """Executed, but answered after the caller has given up."""
    return Card("delay", "answered too late", {"seconds": 11.0, "after": True})


class Trouble:
    """Orders faults by turns from one shuffled deck for each target, so that each is met. `with Trouble(…):`.

    At the end of the block nothing waits to strike any more; `struck` counts by target and label.
    """

    def __init__(
        self,
        sandbox: SandboxClient,
        decks: Mapping[str, Sequence[Card]],
        *,
        seed: str,
        at_once: int = 3,
        calls_between: int = 16,
    ) -> None:
        self.struck: Counter[tuple[str, str]] = Counter()
        self.kinds: dict[str, set[str]] = {target: set() for target in decks}
        self._sandbox = sandbox
        self._dice = random.Random(seed)
        self._decks = {target: self._turns(cards) for target, cards in decks.items()}
        self._at_once = at_once
        self._calls_between = calls_between
        self._ordered: dict[int, tuple[str, Card]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        self._count(self._sandbox.get("faults"))
        self._sandbox.clear_faults()

    def _turns(self, cards: Sequence[Card]) -> Iterator[Card]:
        deck = list(cards)
        for _round in itertools.count():
            self._dice.shuffle(deck)
            yield from deck

    def _run(self) -> None:
        while not self._over.wait(TICK):
            self._deal()

    def _deal(self) -> None:
        rows = self._sandbox.get("faults")
        self._count(row for row in rows if not row["remaining"])
        waiting = Counter(row["target"] for row in rows if row["remaining"])
        for target, deck in self._decks.items():
            for _place in range(self._at_once - waiting[target]):
                self._order(target, next(deck))

    def _order(self, target: str, card: Card) -> None:
        # A notification is struck where it comes up; calls are many, and most must pass.
        skip = 0 if target == "notification" else self._dice.randrange(self._calls_between)
        row = self._sandbox.fault(target, card.kind, skip=skip, **card.params)
        self._ordered[row["id"]] = (target, card)

    def _count(self, rows: Any) -> None:
        """Remember what has struck, and forget its row."""
        for row in rows:
            target, card = self._ordered.pop(row["id"])
            if row["hits"]:
                self.struck[target, card.label or card.kind] += row["hits"]
                self.kinds[target].add(card.kind)
            self._sandbox.delete("faults", id=row["id"])

    def report(self) -> str:
        """A line for each target: how often which fault struck."""
        lines = []
        for target in self._decks:
            found = sorted((label, n) for (where, label), n in self.struck.items() if where == target)
            lines.append(
                f"{target}: {sum(n for _, n in found)} — " + ", ".join(f"{label} {n}" for label, n in found)
            )
        return "\n".join(lines)
