"""What of violations waits for whom: the tabs above their list, and the tasks on the staff's first page."""

from collections.abc import Sequence

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from compliance.models import AppealState, Violation
from compliance.violations.lifecycle import OPEN, ViolationState
from deposits.admin.tabs import Tab, TabFilter
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.desk import Task, tasks_from

# Somebody of operations has to do something.
WAITING = (*OPEN, ViolationState.APPEALED)

REPORTED = Q(state=ViolationState.REPORTED)
PROPOSED = Q(state=ViolationState.INVESTIGATING, proposed_at__isnull=False)
APPEALED = Q(state=ViolationState.APPEALED)


def mine(person: User) -> Q:
    """What the person investigates."""
    return Q(state=ViolationState.INVESTIGATING, investigator=person)


def to_take_up(person: User) -> Q:
    return REPORTED & _impartial(person)


def to_verify(person: User) -> Q:
    """Findings that another than this person proposed."""
    return PROPOSED & ~Q(investigator=person) & _impartial(person)


def to_decide(person: User) -> Q:
    """Appeals on which this person may still say something: neither from the first decision nor its proposer."""
    said_already = Q(appeal_case__state=AppealState.PROPOSED, appeal_case__proposer=person)
    return APPEALED & ~Q(investigator=person) & ~Q(verifier=person) & ~said_already & _impartial(person)


def _impartial(person: User) -> Q:
    """As permissions.is_impartial, without the memberships, which staff have none of."""
    not_reporter = Q(reported_by__isnull=True) | ~Q(reported_by=person)
    return not_reporter & ~Q(application__approved_by=person)


class WorkTabs(TabFilter):
    parameter_name = "work"

    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        return (
            Tab("reported", _("To investigate"), REPORTED),
            Tab("mine", _("Mine"), mine(_person(request))),
            Tab("proposed", _("To verify"), PROPOSED),
            Tab("appeals", _("Appeals"), APPEALED),
        )


@tasks_from
def violation_tasks(request: HttpRequest) -> list[Task]:
    person = request.user
    if not isinstance(person, User) or not has_role(person, Role.OPS):
        return []
    waiting = Violation.objects.aggregate(
        reported=Count("pk", filter=to_take_up(person)),
        mine=Count("pk", filter=mine(person)),
        proposed=Count("pk", filter=to_verify(person)),
        appeals=Count("pk", filter=to_decide(person)),
    )
    return [
        Task(_("Violations to take up"), waiting["reported"], violations_url(work="reported")),
        Task(_("My investigations"), waiting["mine"], violations_url(work="mine")),
        Task(_("Violations to verify"), waiting["proposed"], violations_url(work="proposed")),
        Task(_("Appeals against violations"), waiting["appeals"], violations_url(work="appeals")),
    ]


def violations_url(**parameters: str) -> str:
    """The list with some filters set."""
    return f"{reverse('admin:compliance_violation_changelist')}?{urlencode(parameters)}"


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
