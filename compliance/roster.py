"""Operations' roster: every member and applicant, and one provider's whole story."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from applications import announcements
from applications import selectors as applications
from applications.models import AgreementAcceptance, Application, Ban, Document, ShopEvidence, Transition
from compliance.models import ExitRequest, Violation
from compliance.violations import points
from deposits import selectors as deposits
from deposits.models import Deposit, Refund
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

PAGE_SIZE = 25
NOTICES_SHOWN = 30

# What the list can be sorted by, as it stands in the URL, and the field.
ORDERS = {
    "-since": "-state_since",
    "since": "state_since",
    "-created": "-created_at",
    "created": "created_at",
    "name": "company_name",
    "-name": "-company_name",
}
FIRST_ORDER = "-since"


def everybody() -> QuerySet[Application]:
    """Each application with what its line on the roster shows."""
    return Application.objects.select_related("reviewer", "profile", "deposit")


@dataclass(frozen=True)
class Story:
    """All that is known of one provider, for staff: internal notes included."""

    application: Application
    timeline: QuerySet[Transition]
    deposit: Deposit | None
    refunds: QuerySet[Refund]
    evidence: ShopEvidence | None
    documents: QuerySet[Document]
    acceptances: QuerySet[AgreementAcceptance]
    violations: QuerySet[Violation]
    # Of the present calendar year, and how many count as a severe violation.
    points: int
    points_limit: int
    exits: QuerySet[ExitRequest]
    bans: QuerySet[Ban]
    earlier: QuerySet[Application]
    notices: QuerySet[Notice]


def story(number: str) -> Story:
    """Http404 for a number that is nobody's."""
    application = (
        Application.objects.select_related(
            "applicant", "company", "reviewer", "approved_by", "profile", "deposit"
        )
        .filter(number=number)
        .first()
    )
    if application is None:
        raise Http404
    deposit = getattr(application, "deposit", None)
    now = clock.now()
    return Story(
        application=application,
        deposit=deposit,
        refunds=deposits.refunds_of(deposit) if deposit else Refund.objects.none(),
        timeline=applications.timeline(application, staff=True),
        evidence=applications.latest_evidence(application),
        documents=application.documents.select_related("uploaded_by"),
        acceptances=application.acceptances.select_related("agreement", "user"),
        violations=application.violations.select_related(
            "reported_by", "investigator", "verifier"
        ).prefetch_related("sanctions"),
        points=points.in_year(application.pk, now),
        points_limit=points.limit(now),
        exits=application.exit_requests.select_related("requested_by"),
        bans=application.bans.order_by("-begins_at"),
        earlier=_other_applications(application),
        notices=_notices(application),
    )


def _other_applications(application: Application) -> QuerySet[Application]:
    """Of the same Taobao account or the same company."""
    same = Q(taobao_user_id=application.taobao_user_id)
    if application.company_id:
        same |= Q(company=application.company_id)
    return Application.objects.filter(same).exclude(pk=application.pk)


def _notices(application: Application) -> QuerySet[Notice]:
    """What its people were told about it, the newest first."""
    about = Q(key__startswith=f"application:{application.pk}:")
    for violation_pk in application.violations.values_list("pk", flat=True):
        about |= Q(key__startswith=f"violation:{violation_pk}:")
    people = announcements.merchants(application)
    return Notice.objects.filter(about, recipient__in=people).select_related("recipient", "mail")[
        :NOTICES_SHOWN
    ]
