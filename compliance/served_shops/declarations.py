"""Figures that a provider states with evidence, and operations verify or refuse: GMV of a shop, capability of the company.

A figure never changes: one that was refused is declared anew.
"""

from decimal import Decimal

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from applications.locks import lock_application
from applications.models import Application
from applications.uploads import CheckedFile, check_file
from compliance.locks import lock_declaration, lock_served_shop
from compliance.models import Declaration, DeclarationState, DeclarationStep, ServedShop
from compliance.models.served_shop import DECLARATION_EDGES
from compliance.quarters import quarters_between
from compliance.ratings.inputs import DECLARED, GMV, INPUTS
from compliance.served_shops import announcements, door, permissions
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

LIMIT = Decimal(10) ** 10  # what the column holds


def declare_gmv(
    shop_pk: int, *, actor: User, quarter: str, value: Decimal, upload: UploadedFile
) -> Declaration:
    """GMV (CNY) of one served shop in one quarter in which it was served, the running one included.

    DomainError on field `quarter`, `value` or `file`.
    """
    evidence = check_file(upload)
    with transaction.atomic():
        application, shop = lock_served_shop(shop_pk)
        if not permissions.may_act_for(actor, application):
            raise door.not_permitted()
        if quarter not in quarters_served(shop):
            raise DomainError("quarter", _("The shop was not served in this quarter."), field="quarter")
        same = shop.declarations.filter(quarter=quarter).exclude(state=DeclarationState.REFUSED)
        if same.exists():
            raise DomainError(
                "declared_already", _("The GMV of this quarter is already declared."), field="quarter"
            )
        return _declare(application, GMV, value, evidence, actor, shop=shop, quarter=quarter)


def declare_figure(
    application_pk: int, *, actor: User, figure: str, value: Decimal, upload: UploadedFile
) -> Declaration:
    """A figure of the company as a whole (ratings/inputs.py); the latest that was verified counts.

    DomainError on field `figure`, `value` or `file`.
    """
    evidence = check_file(upload)
    with transaction.atomic():
        application = lock_application(application_pk)
        if not permissions.may_act_for(actor, application):
            raise door.not_permitted()
        if figure not in DECLARED:
            raise DomainError("unknown", _("Choose one of the figures."), field="figure")
        waiting = application.declarations.filter(
            input=figure, served_shop__isnull=True, state=DeclarationState.DECLARED
        )
        if waiting.exists():
            raise DomainError(
                "waits_already", _("A figure of this kind already waits to be verified."), field="figure"
            )
        return _declare(application, figure, value, evidence, actor)


def quarters_served(shop: ServedShop) -> list[str]:
    """In which the relation existed, up to the running one; the latest first."""
    if shop.begins_on is None:
        return []
    return quarters_between(shop.begins_on, shop.ends_on or clock.today())


def verify(pk: int, *, actor: User, seen: str | None = None) -> Declaration:
    """Operations have compared figure and evidence: it counts from the next rating on."""
    return _decide(pk, DeclarationState.VERIFIED, actor=actor, seen=seen)


def refuse(pk: int, *, actor: User, reason: str, seen: str | None = None) -> Declaration:
    """The figure does not hold; one that was verified stops counting. The company reads the reason."""
    if not reason.strip():
        raise DomainError("empty", _("Give the reason that the company reads."), field="reason")
    return _decide(pk, DeclarationState.REFUSED, actor=actor, reason=reason.strip(), seen=seen)


def _decide(
    pk: int, to: DeclarationState, *, actor: User, reason: str = "", seen: str | None = None
) -> Declaration:
    """Lock application, then declaration → permission → page not out of date → lawful edge → step → notice."""
    with transaction.atomic():
        application, row = lock_declaration(pk)
        if not permissions.may_decide(actor, row, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if seen is not None and seen != row.state:
            raise StaleVersion(
                "stale",
                _("Meanwhile the declaration is in state “%(state)s”. Look at it again, then decide.")
                % {"state": row.get_state_display()},
            )
        if (row.state, to) not in DECLARATION_EDGES:
            raise DomainError(
                "wrong_state",
                _("This can't be done while the declaration is in state “%(state)s”.")
                % {"state": row.get_state_display()},
            )
        row.state = to
        row.decided_by = actor
        row.decided_at = clock.now()
        row.decision_reason = reason
        row.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
        name = "verify" if to == DeclarationState.VERIFIED else "refuse"
        _record(row, name, actor, reason)
        if to == DeclarationState.VERIFIED:
            announcements.tell_verified(application, row)
        else:
            announcements.tell_refused(application, row)
    return row


def _declare(
    application: Application,
    figure: str,
    value: Decimal,
    evidence: CheckedFile,
    actor: User,
    *,
    shop: ServedShop | None = None,
    quarter: str = "",
) -> Declaration:
    _refuse_value(figure, value)
    row = Declaration(
        application=application,
        input=figure,
        value=value,
        served_shop=shop,
        quarter=quarter,
        original_name=evidence.name,
        content_type=evidence.content_type,
        size=len(evidence.content),
        sha256=evidence.sha256,
        uploaded_by=actor,
        uploaded_at=clock.now(),
    )
    name, content = evidence.to_store()
    row.file.save(name, content, save=False)
    row.save(force_insert=True)
    _record(row, "declare", actor)
    return row


def _refuse_value(figure: str, value: Decimal) -> None:
    if not Decimal(0) <= value < LIMIT or value != round(value, 2):
        raise DomainError(
            "value", _("Give a figure of zero or more, with two decimals at most."), field="value"
        )
    if INPUTS[figure].is_whole and value != value.to_integral_value():
        raise DomainError("not_whole", _("This is counted in whole numbers."), field="value")


def _record(row: Declaration, name: str, actor: User, note: str = "") -> None:
    DeclarationStep.objects.create(declaration=row, name=name, actor=actor, at=clock.now(), note=note)
