"""What happens to violations by itself, whatever was missed: each row in a transaction of its own."""

from compliance.violations import automatic, rectification, restitution
from tmall_sp.core.sweeps import for_each


def report_what_is_due() -> None:
    for trigger in automatic.TRIGGERS:
        for_each(trigger.due(), trigger.report_if_due)


def tell_what_is_overdue(at_most: int) -> None:
    overdue = rectification.overdue().values_list("violation_id", flat=True)
    for_each(overdue[:at_most], rectification.tell_overdue)


def give_back_what_is_left(at_most: int) -> None:
    for_each(restitution.left_over().values_list("pk", flat=True)[:at_most], restitution.propose_left_over)
