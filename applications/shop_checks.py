"""The shop check as a job: queue → claim → read (no transaction) → record.

A failure of Taobao is never a verdict: the job waits and tries again. A session that ran out waits for
the merchant to log in again. `record` looks again, under lock, whether the job is still its own.
"""

import datetime as dt
from dataclasses import asdict

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import permissions, services, shop_rules
from applications.announcements import merchants
from applications.gateways.taobao import ServiceOrder, TopClient, is_not_granted
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import Application, CheckState, ShopBinding, ShopCheck, ShopEvidence
from applications.shop_rules import Assessment, Reading, shanghai_date
from tmall_sp.accounts.models import User
from tmall_sp.accounts.taobao.sessions import forget_session, session_key
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.gateway import GatewayError, Kind
from tmall_sp.core.jobs import enqueue
from tmall_sp.core.notices import notify

CHECKABLE = (State.CREATED, State.SHOP_UNQUALIFIED)
# A check claimed longer ago than this belongs to a worker that died.
CLAIM_EXPIRES = dt.timedelta(minutes=1)
FIRST_PAUSE = dt.timedelta(seconds=10)
LONGEST_PAUSE = dt.timedelta(hours=1)


def queue(application: Application, *, due_at: dt.datetime | None = None) -> ShopCheck:
    """Write the job and tell a worker. The caller holds the application's lock (or has just made it)."""
    now = clock.now()
    check = ShopCheck.objects.create(application=application, created_at=now, due_at=due_at or now)
    if check.due_at <= now:
        _tell_worker(check)
    return check


def request_again(pk: int, *, actor: User) -> ShopCheck:
    """The merchant's button: check now instead of on the scheduled day. Limited per hour by rule."""
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.may_edit(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if application.state not in CHECKABLE:
            raise DomainError("wrong_state", _("The shop check is already passed."))
        now = clock.now()
        _refuse_too_often(application, now)
        check = application.shop_checks.select_for_update().exclude(state=CheckState.DONE).first()
        if check is None:
            check = queue(application)
        elif check.state == CheckState.RUNNING and not _is_abandoned(check, now):
            raise DomainError("running", _("The check is running."))
        check.state = CheckState.QUEUED
        check.due_at = check.requested_at = now
        check.requested_by = actor
        check.save(update_fields=["state", "due_at", "requested_at", "requested_by"])
        _tell_worker(check)
        return check


def _refuse_too_often(application: Application, now: dt.datetime) -> None:
    """So many an hour; while Taobao is down one check stays open, and its button waits its share of the hour."""
    hour = dt.timedelta(hours=1)
    limit = rules.value("shop_check.manual_per_hour", now)
    requested = ShopCheck.objects.filter(
        application__taobao_user_id=application.taobao_user_id, requested_at__gt=now - hour
    )
    waits = requested.exclude(state=CheckState.DONE).filter(requested_at__gt=now - hour / limit)
    if requested.count() >= limit or waits.exists():
        raise DomainError("too_often", _("The shop was checked several times just now. Please wait an hour."))


def resume_after_login(user: User) -> None:
    """The account has a live session again: note the binding, and wake the checks that waited for it."""
    ShopBinding.objects.get_or_create(taobao_user_id=user.taobao_user_id, defaults={"bound_at": clock.now()})
    waiting = ShopCheck.objects.filter(
        application__taobao_user_id=user.taobao_user_id, state=CheckState.REAUTHORISE
    )
    with transaction.atomic():
        for check in waiting.select_for_update(of=("self",)):
            check.state = CheckState.QUEUED
            check.due_at = clock.now()
            check.save(update_fields=["state", "due_at"])
            _tell_worker(check)


def due(now: dt.datetime) -> QuerySet[ShopCheck]:
    """Jobs that a worker may take: due, or left behind by one that died."""
    return ShopCheck.objects.filter(
        Q(state__in=[CheckState.QUEUED, CheckState.WAITING], due_at__lte=now)
        | Q(state=CheckState.RUNNING, claimed_at__lt=now - CLAIM_EXPIRES)
    )


def run(check_id: int) -> bool:
    """Do one check if it is due and nobody else has it. False: Taobao couldn't be asked."""
    check = _claim(check_id)
    if check is None:
        return True
    session = session_key(check.application.taobao_user_id)
    if session is None:
        _wait_for_login(check)
        return True
    try:
        reading = _read(check.application, session)
    except GatewayError as error:
        if error.kind == Kind.REAUTHORISE:
            forget_session(session)
            _wait_for_login(check)
            return True
        _wait_for_taobao(check, error)
        return False
    _record(check, reading)
    return True


@transaction.atomic
def _claim(check_id: int) -> ShopCheck | None:
    now = clock.now()
    check = due(now).select_for_update(of=("self",), skip_locked=True).filter(pk=check_id).first()
    if check is None:
        return None
    check.state = CheckState.RUNNING
    check.claimed_at = now
    check.attempts += 1
    check.save(update_fields=["state", "claimed_at", "attempts"])
    return check


def _read(application: Application, session: str) -> Reading:
    """Ask Taobao. What our application isn't granted is 'not available'; everything else raises."""
    client = TopClient.from_settings()
    seller = client.seller(session)
    nick = seller.nick or application.taobao_nick
    shop = client.shop(session) if seller.has_shop is not False else None
    legacy = client.legacy_shop(nick, session) if shop else None
    starts = [order.cycle_start for order in _service_orders(client, nick, session) if order.cycle_start]
    binding = ShopBinding.objects.filter(taobao_user_id=application.taobao_user_id).first()
    return Reading(
        shop_id=shop.sid if shop else None,
        shop_title=shop.title if shop else None,
        status=seller.status,
        promoted_type=seller.promoted_type,
        has_shop=seller.has_shop,
        seller_type=seller.type,
        scores={name: getattr(legacy, name) for name in shop_rules.SCORES} if legacy else {},
        shop_created_on=shanghai_date(legacy.created) if legacy else None,
        first_order_on=shanghai_date(min(starts, default=None)),
        bound_on=shanghai_date(binding.bound_at) if binding else None,
    )


def _service_orders(client: TopClient, nick: str, session: str) -> list[ServiceOrder]:
    """No orders where we have no article in the service market, or are not granted its orders."""
    if not settings.TAOBAO_ARTICLE_CODE:
        return []
    try:
        return client.service_orders(nick, settings.TAOBAO_ARTICLE_CODE, session)
    except GatewayError as error:
        if is_not_granted(error):
            return []
        raise


def _record(check: ShopCheck, reading: Reading) -> None:
    now = clock.now()
    assessment = shop_rules.assess(
        reading,
        today=clock.today(),
        tenure_months=rules.value("shop_check.tenure_months", now),
        score_floor=rules.value("shop_check.score_floor", now),
        required=rules.value("shop_check.required", now),
    )
    with transaction.atomic():
        application = lock_application(check.application_id)
        if not _still_ours(check):
            return
        check.state = CheckState.DONE
        check.last_error = ""
        check.save(update_fields=["state", "last_error"])
        if application.state not in CHECKABLE:
            return  # withdrawn or lapsed meanwhile: nothing left to decide
        ShopEvidence.objects.create(
            check_run=check,
            application=application,
            at=now,
            read=reading.as_json(),
            verdicts=[asdict(verdict) for verdict in assessment.verdicts],
            passed=assessment.passed,
            tenure_begins=assessment.tenure_begins,
            tenure_source=assessment.tenure_source,
            eligible_on=assessment.eligible_on,
        )
        _decide(application, assessment)


def _decide(application: Application, assessment: Assessment) -> None:
    if assessment.passed:
        services.pass_shop_check(application.pk)
        return
    failing = [asdict(verdict) for verdict in assessment.verdicts if verdict.outcome == "fail"]
    services.fail_shop_check(
        application.pk,
        reason="\n".join(
            _("%(name)s: %(text)s") % {"name": shop_rules.title(v["rule"]), "text": shop_rules.explain(v)}
            for v in failing
        ),
    )
    queue(application, due_at=_next_check(assessment))


def _next_check(assessment: Assessment) -> dt.datetime:
    """On the eligible date; by rule (weekly) while another rule fails that has no date."""
    now = clock.now()
    undated = any(v.outcome == "fail" and v.rule != "tenure" for v in assessment.verdicts)
    retry = now + rules.days("shop_check.retry_days", now)
    if assessment.eligible_on is None:
        return retry
    eligible = clock.day_start(assessment.eligible_on)
    return min(eligible, retry) if undated else eligible


def _wait_for_taobao(check: ShopCheck, error: GatewayError) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(check.attempts - 1, 10), LONGEST_PAUSE)
    _put_back(check, CheckState.WAITING, due_at=clock.now() + pause, error=error.code)


def _wait_for_login(check: ShopCheck) -> None:
    if not _put_back(check, CheckState.REAUTHORISE, due_at=check.due_at, error="session"):
        return
    application = check.application
    notify(
        merchants(application),
        key=f"shop-check:{check.pk}:reauthorise:{check.attempts}",
        subject=gettext_lazy("Please log in with Taobao again"),
        body=gettext_lazy(
            "Taobao's authorisation has run out. Log in again, and the shop check goes on by itself."
        ),
        link=reverse("applications:detail", args=[application.number]),
    )


def _put_back(check: ShopCheck, state: CheckState, *, due_at: dt.datetime, error: str) -> bool:
    return bool(
        ShopCheck.objects.filter(pk=check.pk, state=CheckState.RUNNING, attempts=check.attempts).update(
            state=state, due_at=due_at, last_error=error
        )
    )


def _still_ours(check: ShopCheck) -> bool:
    """A worker that was thought dead may come back late; the attempt number tells whose turn it is."""
    return (
        ShopCheck.objects.select_for_update()
        .filter(pk=check.pk, state=CheckState.RUNNING, attempts=check.attempts)
        .exists()
    )


def _is_abandoned(check: ShopCheck, now: dt.datetime) -> bool:
    return check.claimed_at is not None and check.claimed_at < now - CLAIM_EXPIRES


def _tell_worker(check: ShopCheck) -> None:
    from applications import tasks

    enqueue(tasks.check_shop, check.pk)
