"""A sweep goes through rows that are due, and holds a worker no longer than it must."""

import logging
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


def for_each(pks: Iterable[int], work: Callable[[int], bool], *, give_up_after: int = 3) -> None:
    """Do the work for each row, whatever one row does, as long as the outside system answers.

    `work` gives False where that gave no answer. So many in a row, and the sweep ends: each call may take
    its whole time-out, payments wait for the same workers, and the rows are due again at the next sweep.
    """
    unanswered = 0
    for pk in list(pks):
        try:
            answered = work(pk)
        except Exception:  # one bad row must not keep the others
            logger.exception("%s failed for row %s", work.__qualname__, pk)
            continue
        unanswered = 0 if answered else unanswered + 1
        if unanswered >= give_up_after:
            return
