"""Reads. An object reaches a view only through a selector that takes the person who asks."""

from django.db.models import Q, QuerySet
from django.http import Http404

from applications.lifecycle import ADMITTED, OPEN_PER_COMPANY, OPEN_PER_USER, State
from applications.models import (
    Agreement,
    Application,
    Ban,
    CheckState,
    Document,
    DocumentKind,
    ReviewRequest,
    ShopCheck,
    ShopEvidence,
    Suspension,
    Transition,
)
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def applications_of(user: User) -> QuerySet[Application]:
    """Everything that is the person's own: by Taobao account or by membership (see permissions.company_role)."""
    theirs = Q(company__memberships__user=user, state__in=ADMITTED)
    if user.taobao_user_id:
        theirs |= Q(taobao_user_id=user.taobao_user_id)
    return Application.objects.filter(theirs).distinct()


def application_for(user: User, number: str) -> Application:
    """One of the person's own applications; Http404 for a stranger's, as for one that doesn't exist."""
    application = applications_of(user).filter(number=number).select_related("applicant", "company").first()
    if application is None:
        raise Http404
    return application


def open_application_of(user: User) -> Application | None:
    return applications_of(user).filter(state__in=OPEN_PER_USER).first()


def may_begin(user: User) -> bool:
    """Whether the person's Taobao account has no open application yet, and no ban stands on it."""
    if not user.taobao_user_id or ban_in_force(taobao_user_id=user.taobao_user_id):
        return False
    mine = Application.objects.filter(taobao_user_id=user.taobao_user_id, state__in=OPEN_PER_USER)
    return not mine.exists()


def timeline(application: Application, *, staff: bool = False) -> QuerySet[Transition]:
    """Oldest first; staff also see what is not public."""
    rows = application.transitions.select_related("actor", "proposed_by")
    return rows if staff else rows.filter(public=True)


def open_check(application: Application) -> ShopCheck | None:
    return application.shop_checks.exclude(state=CheckState.DONE).first()


def latest_evidence(application: Application) -> ShopEvidence | None:
    return application.shop_evidence.first()


def documents_of(application: Application) -> QuerySet[Document]:
    return application.documents.filter(removed_at__isnull=True)


def has_licence(application: Application) -> bool:
    return documents_of(application).filter(kind=DocumentKind.LICENCE).exists()


def open_request(application: Application) -> ReviewRequest | None:
    return application.review_requests.filter(closed_at__isnull=True).prefetch_related("items").first()


def open_suspensions(application: Application) -> QuerySet[Suspension]:
    """What keeps a member from serving, oldest first."""
    return application.suspensions.filter(lifted_at__isnull=True)


def current_agreement() -> Agreement:
    """The rules in force now. Agreement.DoesNotExist before the first (a migration loads it)."""
    return Agreement.objects.filter(effective_from__lte=clock.now()).latest("version")


def has_accepted_current_agreement(application: Application) -> bool:
    return application.acceptances.filter(agreement=current_agreement()).exists()


def ban_in_force(*, credit_code: str = "", taobao_user_id: str = "", alipay_account_id: str = "") -> bool:
    """Whether a ban stands on any of the names."""
    names = Q(pk__in=[])
    if credit_code:
        names |= Q(credit_code=credit_code)
    if taobao_user_id:
        names |= Q(taobao_user_id=taobao_user_id)
    if alipay_account_id:
        names |= Q(alipay_account_id=alipay_account_id)
    now = clock.now()
    in_force = Q(lifted_at__isnull=True, begins_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))
    return Ban.objects.filter(names & in_force).exists()


def company_is_taken(application: Application) -> bool:
    """Whether another application of the same credit code is already under review or a member."""
    return (
        Application.objects.filter(company__credit_code=application.credit_code, state__in=OPEN_PER_COMPANY)
        .exclude(pk=application.pk)
        .exists()
    )


def review_queue() -> QuerySet[Application]:
    return Application.objects.filter(state=State.UNDER_REVIEW).order_by("review_due_at", "pk")
