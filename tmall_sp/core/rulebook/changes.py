"""A rule is changed by two people of operations: one proposes, another accepts or refuses.

Accepting writes the next version in the same transaction. The database asks for two people behind it (trigger
`decided_by_two` on RuleVersion), so nobody, a superuser included, decides alone past this module.
A version is never edited: what was accepted but hasn't begun is replaced by the next version.
"""

import datetime as dt
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import RuleChange, RuleChangeState, RuleVersion
from tmall_sp.core.notices import notify
from tmall_sp.core.rulebook import catalogue

PERMISSION = "core.decide_rulechange"

# accounts.User, which lies above this module.
Person = Any


def may_change_rules(person: Person) -> bool:
    """Active staff with the permission, by a role. A superuser has none: who gives roles is no second person."""
    return bool(
        person.is_active and person.is_staff and not person.is_superuser and person.has_perm(PERMISSION)
    )


def may_decide(person: Person, change: RuleChange) -> bool:
    return may_change_rules(person) and person.pk != change.proposed_by_id


def propose(
    code: str, *, actor: Person, value: Any, reason: str, valid_from: dt.datetime | None = None
) -> RuleChange:
    """Put a new value before a second person, and tell operations.

    It counts from `valid_from`, not before now, or from its acceptance (None). A rule that needs notice begins on
    a later day. KeyError for an unknown rule; NotPermitted; DomainError `no_reason`, `not_lawful`, `no_notice`,
    `past`, `unchanged`, `already_proposed`.
    """
    rule = catalogue.rule(code)
    if not may_change_rules(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    _refuse_empty(reason)
    rule.shape.check(value)
    change = RuleChange(
        rule=code,
        value=value,
        valid_from=valid_from,
        reason=reason.strip(),
        proposed_by=actor,
        proposed_at=clock.now(),
    )
    _refuse_date(change)
    _refuse_unchanged(change)
    try:
        with transaction.atomic():
            change.save(force_insert=True)
            _tell_operations(change, gettext_lazy("A change of a rule waits for a second person"), "proposed")
    except IntegrityError as error:
        if "one_open_change_per_rule" not in str(error):
            raise
        raise DomainError(
            "already_proposed", _("Another change of this rule already waits for a second person.")
        ) from error
    return change


def accept(pk: int, *, actor: Person, reason: str = "", seen: str | None = None) -> RuleVersion:
    """The second person's word: writes the next version of the rule.

    NotPermitted for the proposer and whoever isn't operations; DomainError `decided` if somebody was faster,
    `past` or `no_notice` if the date came while it waited. `seen` is the `mark` of the page that the person
    acted on; another one raises StaleVersion.
    """
    with transaction.atomic():
        change = _open_change(pk, actor)
        _refuse_stale(change, seen)
        catalogue.rule(change.rule).shape.check(change.value)
        _refuse_date(change)
        now = _decide(change, RuleChangeState.ACCEPTED, actor, reason)
        version = RuleVersion.objects.create(
            name=change.rule,
            # One change of a rule is open at a time and its row is locked: nobody else counts now.
            version=_last_number(change.rule) + 1,
            value=change.value,
            valid_from=change.valid_from or now,
            note=change.reason[:200],
            change=change,
        )
        _tell_operations(change, gettext_lazy("A rule has been changed"), "accepted")
    return version


def refuse(pk: int, *, actor: Person, reason: str, seen: str | None = None) -> RuleChange:
    """The second person says no; the proposer reads why."""
    _refuse_empty(reason)
    with transaction.atomic():
        change = _open_change(pk, actor)
        _refuse_stale(change, seen)
        _decide(change, RuleChangeState.REFUSED, actor, reason)
        _tell(
            [change.proposed_by], change, gettext_lazy("Your change of a rule was refused"), "refused", reason
        )
    return change


def withdraw(pk: int, *, actor: Person) -> RuleChange:
    """The proposer takes it back."""
    with transaction.atomic():
        change = _locked(pk)
        if change.proposed_by_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the person who proposed it can withdraw it."))
        _refuse_decided(change)
        _decide(change, RuleChangeState.WITHDRAWN, actor, "")
    return change


def mark(change: RuleChange) -> str:
    """What has to be unchanged for an acceptance to be what the person decided on: the state and what counts now."""
    return f"{change.state}-{rules.in_force(change.rule).version}-{_last_number(change.rule)}"


def earliest_day(code: str) -> dt.date:
    """The first day from whose beginning a change proposed now can count."""
    return clock.today() + dt.timedelta(days=1)


# Refusals ------------------------------------------------------------------------------------------


def _refuse_empty(reason: str) -> None:
    if not reason.strip():
        raise DomainError("no_reason", _("Give the reason."), field="reason")


def _refuse_date(change: RuleChange) -> None:
    now = clock.now()
    if change.valid_from is not None and change.valid_from < now:
        raise DomainError(
            "past",
            _("A rule can't begin in the past: propose it again with a later day."),
            field="valid_from",
        )
    if not catalogue.rule(change.rule).needs_notice:
        return
    if change.valid_from is None or change.valid_from < clock.day_start(earliest_day(change.rule)):
        raise DomainError(
            "no_notice",
            _("Members have to be told before this rule changes: name a day after today."),
            field="valid_from",
        )


def _refuse_unchanged(change: RuleChange) -> None:
    """The same value may still replace another that has not begun."""
    begins = change.valid_from or change.proposed_at
    coming = RuleVersion.objects.filter(name=change.rule, valid_from__gte=begins)
    if rules.value(change.rule, begins) == change.value and not coming.exists():
        raise DomainError("unchanged", _("This is the value already."), field="value")


def _refuse_decided(change: RuleChange) -> None:
    if change.state != RuleChangeState.OPEN:
        raise DomainError(
            "decided",
            _("This was decided meanwhile: %(state)s.") % {"state": change.get_state_display()},
        )


def _refuse_stale(change: RuleChange, seen: str | None) -> None:
    if seen is not None and seen != mark(change):
        raise StaleVersion(
            "stale", _("The rule changed while this page was open. Look at it again, then decide.")
        )


# Parts ---------------------------------------------------------------------------------------------


def _locked(pk: int) -> RuleChange:
    return RuleChange.objects.select_for_update(of=("self",)).select_related("proposed_by").get(pk=pk)


def _open_change(pk: int, actor: Person) -> RuleChange:
    """Still open and this person's to decide, under its lock."""
    change = _locked(pk)
    if not may_decide(actor, change):
        raise NotPermitted("not_permitted", _("Another person of operations must decide this."))
    _refuse_decided(change)
    return change


def _decide(change: RuleChange, state: RuleChangeState, actor: Person, reason: str) -> dt.datetime:
    """The moment of the decision."""
    now = clock.now()
    change.state = state
    change.decided_by = actor
    change.decided_at = now
    change.decision_reason = reason.strip()
    change.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    return now


def _last_number(code: str) -> int:
    last: int | None = RuleVersion.objects.filter(name=code).aggregate(last=Max("version"))["last"]
    return last or 0


def _tell_operations(change: RuleChange, subject: str | Promise, event: str) -> None:
    actor = change.decided_by_id or change.proposed_by_id
    _tell(operations().exclude(pk=actor), change, subject, event, change.reason)


def _tell(people: Any, change: RuleChange, subject: str | Promise, event: str, words: str) -> None:
    rule = catalogue.rule(change.rule)
    notify(
        people,
        key=f"rule_change:{change.pk}:{event}",
        subject=subject,
        body=format_lazy("{title}\n{words}", title=rule.title, words=words.strip()),
        link=reverse("admin:core_rulechange_change", args=[change.pk]),
    )


def operations() -> QuerySet[Person]:
    """Who may change rules."""
    return get_user_model().objects.with_perm(PERMISSION, include_superusers=False).filter(is_staff=True)
