"""Everything that a reviewer needs to know about one application, read once for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications import completeness, selectors, shop_rules
from applications.drafts import DATA_FIELDS
from applications.lifecycle import State
from applications.models import (
    Application,
    Category,
    Document,
    DocumentKind,
    ReviewRequest,
    ShopCheck,
    ShopEvidence,
    Suspension,
    Transition,
)


@dataclass(frozen=True)
class Finding:
    """Something that our own books say against the application; `blocks`: it can't be approved."""

    code: str
    text: str | Promise
    blocks: bool = False


@dataclass(frozen=True)
class RuleResult:
    """One rule of the shop check, in words."""

    rule: str
    title: str
    outcome: str
    text: str


@dataclass(frozen=True)
class Dossier:
    """The page's data. `to_look_at` is what must be ticked before approval: code and words."""

    company_data: Sequence[tuple[str, Any]]
    findings: Sequence[Finding]
    results: Sequence[RuleResult]
    evidence: ShopEvidence | None
    open_check: ShopCheck | None
    documents: Sequence[Document]
    replaced_documents: Sequence[Document]
    requests: Sequence[ReviewRequest]
    suspensions: Sequence[Suspension]
    timeline: Sequence[Transition]
    others: Sequence[Application]


def dossier(application: Application) -> Dossier:
    """Read the page's data; about a dozen queries, whatever the size of the tables."""
    evidence = selectors.latest_evidence(application)
    kinds = list(DocumentKind.values)  # in the order in which a reviewer reads them
    documents = sorted(
        application.documents.select_related("uploaded_by"), key=lambda document: kinds.index(document.kind)
    )
    return Dossier(
        company_data=company_data(application),
        findings=findings(application, evidence),
        results=rule_results(evidence),
        evidence=evidence,
        open_check=selectors.open_check(application),
        documents=[document for document in documents if document.removed_at is None],
        replaced_documents=[document for document in documents if document.removed_at is not None],
        requests=list(application.review_requests.select_related("requested_by").prefetch_related("items")),
        suspensions=_suspensions(application),
        timeline=list(selectors.timeline(application, staff=True)),
        others=_others(application),
    )


def company_data(application: Application) -> list[tuple[str, Any]]:
    """Each typed field with its name, as the person reads it."""
    rows: list[tuple[str, Any]] = [(str(_("categories")), category_names(application))]
    for name in DATA_FIELDS:
        field = Application._meta.get_field(name)
        display = getattr(application, f"get_{name}_display", None)
        rows.append((str(field.verbose_name), display() if display else getattr(application, name)))  # type: ignore[union-attr]
    return rows


def category_names(application: Application) -> str:
    return "、".join(str(Category(value).label) for value in application.categories)


def findings(application: Application, evidence: ShopEvidence | None) -> list[Finding]:
    """What stands against an approval in our own books."""
    found = []
    if completeness.is_banned(application):
        found.append(Finding("banned", _("A ban stands on one of the company's names."), blocks=True))
    if selectors.company_is_taken(application):
        found.append(
            Finding(
                "company_taken", _("The company has another open application or a membership."), blocks=True
            )
        )
    if completeness.licence_has_expired(application):
        found.append(Finding("licence_expired", _("The business licence has expired.")))
    if not application.is_draft and evidence is None:
        found.append(Finding("no_evidence", _("There is no evidence of a shop check.")))
    return found


def rule_results(evidence: ShopEvidence | None) -> list[RuleResult]:
    verdicts = evidence.verdicts if evidence else []
    return [
        RuleResult(
            rule=verdict["rule"],
            title=shop_rules.title(verdict["rule"]),
            outcome=verdict["outcome"],
            text=shop_rules.explain(verdict),
        )
        for verdict in verdicts
    ]


def to_look_at(application: Application) -> list[tuple[str, str]]:
    """What nobody has checked automatically: values that Taobao did not give, findings that don't block."""
    evidence = selectors.latest_evidence(application)
    missing = [
        (result.rule, f"{result.title}: {result.text}")
        for result in rule_results(evidence)
        if result.outcome == "not_available"
    ]
    warnings = [
        (finding.code, str(finding.text)) for finding in findings(application, evidence) if not finding.blocks
    ]
    return missing + warnings


def subjects() -> list[tuple[str, str | Promise]]:
    """What a requested change may concern: a field, a kind of document, or something else."""
    fields: list[tuple[str, str | Promise]] = [
        (name, Application._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        for name in DATA_FIELDS
        if name != "contact_email_verified_at"
    ]
    return [*fields, *DocumentKind.choices, ("", _("something else"))]


def subject_name(subject: str) -> str:
    return str(dict(subjects()).get(subject, subject))


def _suspensions(application: Application) -> list[Suspension]:
    if application.state not in (State.SUSPENDED, State.EXITING, State.EXPELLED):
        return []
    return list(selectors.open_suspensions(application).select_related("opened_by"))


def _others(application: Application) -> list[Application]:
    same = Q(taobao_user_id=application.taobao_user_id)
    if application.credit_code:
        same |= Q(credit_code=application.credit_code)
    return list(Application.objects.filter(same).exclude(pk=application.pk)[:20])
