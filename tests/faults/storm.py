"""Workers die at random moments, one after the other, while time passes in jumps."""

import datetime as dt
import random
import time
from collections.abc import Callable
from functools import partial

from tests.faults.damage import Damage
from tests.faults.stage import Stage
from tests.journey.waiting import eventually
from tests.stack import Stack

# Short enough for Alipay to believe the stamp of a call that is on its way; a claim may well expire.
SHORTEST_JUMP, LONGEST_JUMP = 20.0, 200.0
# Of the work; the rest is what stragglers wait for.
SHARE_OF_DEATHS = 0.9


def _reached(done: Callable[[], int], least: float) -> bool:
    return done() >= least


class Storm:
    """Kills the workers of a stack by turns. `deaths` counts them; `at_work` those with work under way (`held`)."""

    def __init__(
        self, stack: Stack, stage: Stage, damage: Damage, *, held: Callable[[], int], seed: str
    ) -> None:
        self.deaths = 0
        self.at_work = 0
        self._stack, self._stage, self._damage = stack, stage, damage
        self._held = held
        self._dice = random.Random(seed)

    def _is_ready(self, worker: str) -> bool:
        return " ready." in self._stack.log(worker)

    def rage(self, done: Callable[[], int], total: int, *, deaths: int, seconds: float) -> None:
        """So many deaths, spread over the work: each at a random moment after its share of the whole is done."""
        for number in range(1, deaths + 1):
            share = total * SHARE_OF_DEATHS * number / deaths
            victim = self._stack.workers[number % len(self._stack.workers)]
            self.wait(partial(_reached, done, share), f"{share:.0f} are done", seconds)
            self.wait(partial(self._is_ready, victim), f"{victim} works", seconds)
            time.sleep(self._dice.uniform(0.0, 2.0))
            self._die(victim)

    def wait(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        """Let time pass until it is so."""

        def later() -> bool:
            if is_so():
                return True
            time.sleep(0.5)
            if self._dice.random() < 0.2:
                jump = self._dice.uniform(SHORTEST_JUMP, LONGEST_JUMP)
                self._stage.let_pass(dt.timedelta(seconds=jump))
            return False

        eventually(later, what, seconds)

    def report(self) -> str:
        died = ", ".join(f"{what} {count}" for what, count in sorted(self._damage.done.items()))
        return f"{self.deaths} deaths ({died}), {self.at_work} of them with work under way"

    def _die(self, victim: str) -> None:
        self._damage.kill(victim)
        self.deaths += 1
        self.at_work += bool(self._held())
        self._damage.start(victim, wait=False)
