"""How a complaint begins: filed by whom it concerns, or entered by operations; the claimed sum is frozen."""

import datetime as dt
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications.lifecycle import MEMBER
from applications.locks import lock_application
from applications.models import Application
from compliance.complaints import announcements, deadlines, door, files, payees, permissions
from compliance.complaints.files import Uploads
from compliance.models import Channel, Complaint, QuestionCode, Relation, ServedShop, ShopState, Side
from deposits.books.ledger import CENT
from deposits.duties import cases
from deposits.outgoing.payees import Payee
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted

LONGEST_ORDER_NUMBER = 40
HIGHEST_ORDER_VALUE = Decimal("9999999999.99")


@dataclass(frozen=True)
class Claim:
    """What somebody complains about. Amounts are CNY; the claim is capped by the order's value."""

    channel: Channel
    order_number: str
    order_value: Decimal
    question: QuestionCode
    text: str
    claimed: Decimal
    payee: Payee | None = None

    @property
    def order(self) -> str:
        """The order's number as it is kept: one order has one, whatever spaces or letters it was typed with."""
        return "".join(unicodedata.normalize("NFKC", self.order_number).split()).upper()


@dataclass(frozen=True)
class Person:
    """Who complains: with an account, or known to operations by name and contact."""

    account: User | None
    name: str
    contact: str = ""


def file(application_pk: int, *, actor: User, claim: Claim, uploads: Uploads = ()) -> Complaint:
    """File a complaint against a member, as a merchant that it served or else as a customer.

    Freezes what is claimed, as far as it is there; the provider has until the deadline to respond.
    DomainError with a field for what can't be: `not_a_member`, `own_company`, `over_the_order`,
    `claimed_already`, `too_many_today`; NotPermitted for whoever isn't known by a Taobao account.
    """
    if not actor.taobao_user_id:
        raise NotPermitted("not_permitted", _("You may not do this."))
    return _open(application_pk, actor, claim, uploads, Person(actor, str(actor)))


def enter(
    application_pk: int, *, actor: User, claim: Claim, name: str, contact: str, uploads: Uploads = ()
) -> Complaint:
    """Operations enter a complaint for somebody who has no account here, and speak for that person."""
    if not permissions.may_handle(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if not name.strip():
        raise DomainError("empty", _("Say who complains."), field="complainant_name")
    return _open(application_pk, actor, claim, uploads, Person(None, name.strip(), contact.strip()))


def _open(application_pk: int, actor: User, claim: Claim, uploads: Uploads, person: Person) -> Complaint:
    _refuse_claim(claim)
    with transaction.atomic():
        application = lock_application(application_pk)
        _refuse_provider(application, person)
        complaint = _complaint(application, actor, claim, person)
        side = Side.COMPLAINANT if person.account else Side.OPERATIONS
        _insert(complaint)
        files.add(complaint, uploads, side=side, actor=actor)
        step = door.record(complaint, "file", before="", actor=actor, side=side)
        cases.freeze(
            application.pk, case=complaint.case, claimed=complaint.claimed, cap=complaint.order_value
        )
        announcements.announce(complaint, step)
    return complaint


def _complaint(application: Application, actor: User, claim: Claim, person: Person) -> Complaint:
    served = _served_shop(application, person.account)
    now = clock.now()
    complaint = Complaint(
        application=application,
        relation=_relation(person.account, served),
        complainant=person.account,
        complainant_name=person.name,
        complainant_contact=person.contact,
        entered_by=None if person.account else actor,
        served_shop=served,
        channel=claim.channel,
        order_number=claim.order,
        order_value=claim.order_value,
        question=claim.question,
        text=claim.text.strip(),
        claimed=claim.claimed,
        filed_at=now,
        state_since=now,
    )
    if claim.payee is not None:
        payees.write(complaint, claim.payee)
    complaint.due_at = deadlines.due(complaint, now)
    complaint.alarm_at = deadlines.next_alarm(complaint, now)
    return complaint


def _refuse_claim(claim: Claim) -> None:
    """What is wrong with the claim itself, beside its field."""
    if not claim.order:
        raise DomainError("empty", _("Give the number of the order."), field="order_number")
    if len(claim.order) > LONGEST_ORDER_NUMBER:
        raise DomainError("too_long", _("This is too long."), field="order_number")
    for field, amount in (("order_value", claim.order_value), ("claimed", claim.claimed)):
        if not 0 < amount <= HIGHEST_ORDER_VALUE or amount != amount.quantize(CENT):
            raise DomainError("no_amount", _("Give an amount above zero, in whole cents."), field=field)
    if claim.claimed > claim.order_value:
        raise DomainError(
            "over_the_order", _("A claim can't be higher than the value of its order."), field="claimed"
        )
    if not claim.text.strip():
        raise DomainError("empty", _("Write what happened."), field="text")
    if not claim.question.is_active:
        raise DomainError("question_gone", _("Choose another question."), field="question")
    if claim.payee is not None:
        claim.payee.check()


def _refuse_provider(application: Application, person: Person) -> None:
    """Against whom a person can't complain (now). Hold the application's lock."""
    if application.state not in MEMBER:
        raise DomainError(
            "not_a_member", _("This company is not in the programme (any more)."), field="provider"
        )
    if person.account is None:
        return
    if permissions.belongs_to_provider(person.account, application):
        raise DomainError("own_company", _("This is your own company."), field="provider")
    limit = rules.value("complaint.filed_a_day")
    if _filed_within_a_day(application, person.account) >= limit:
        raise DomainError(
            "too_many_today",
            _(
                "You have filed %(count)s complaints against this provider within 24 hours. File the next later."
            )
            % {"count": limit},
            field="provider",
        )


def _filed_within_a_day(application: Application, complainant: User) -> int:
    """By the Taobao account, whichever of its sub-accounts filed; what was withdrawn counts as well."""
    return application.complaints.filter(
        complainant__taobao_user_id=complainant.taobao_user_id,
        filed_at__gt=clock.now() - dt.timedelta(days=1),
    ).count()


def _served_shop(application: Application, complainant: User | None) -> ServedShop | None:
    """The proof that the complainant was served: the newest relation that its owner authorised."""
    if complainant is None:
        return None
    shops = application.served_shops.filter(
        owner_taobao_user_id=complainant.taobao_user_id, state__in=[ShopState.SERVING, ShopState.ENDED]
    )
    found: ServedShop | None = shops.order_by("-begins_on", "-pk").first()
    return found


def _relation(complainant: User | None, served: ServedShop | None) -> Relation:
    if complainant is None:
        return Relation.OPERATIONS
    return Relation.SERVED_MERCHANT if served else Relation.CUSTOMER


def _insert(complaint: Complaint) -> None:
    try:
        with transaction.atomic():
            complaint.save(force_insert=True)
    except IntegrityError as error:
        if "one_claim_per_order" not in str(error):
            raise
        raise DomainError(
            "claimed_already",
            _("There is already a complaint about this order."),
            field="order_number",
        ) from error
