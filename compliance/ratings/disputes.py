"""A provider disputes an input of its published score; operations decide.

Upheld, the right value stands on the dispute, and a correction says what follows: of the disputed score, and of
the quarter after it, whose half-year average counted it. What was published stays beside it. The directory shows
what stands.

What happens to a case after its quarter has ended changes no score by itself: points taken back on appeal are gone
from the next quarter on. For a quarter that is published, the provider disputes them.
"""

import datetime as dt
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.announcements import merchants
from applications.locks import lock_application
from applications.models import Application
from compliance.models import (
    DisputeState,
    ProviderProfile,
    RatingRun,
    RunState,
    Score,
    ScoreCorrection,
    ScoreDispute,
)
from compliance.quarters import Quarter
from compliance.ratings import permissions, publication, scoring
from compliance.ratings.figures import columns, standing
from compliance.ratings.inputs import INPUTS
from compliance.ratings.rule import LARGEST, Rule
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.notices import notify


def until(run: RatingRun) -> dt.datetime:
    """The last instant at which an input of a published run can be disputed."""
    assert run.published_at is not None
    return run.published_at + rules.days("rating.dispute_days", run.published_at)


def open_dispute(score_pk: int, *, actor: User, code: str, text: str) -> ScoreDispute:
    """The provider says what is wrong with an input: once for each, and in time.

    DomainError: `unknown_input`, `empty`, `not_published`, `too_late`, `disputed`.
    """
    with transaction.atomic():
        score = Score.objects.select_related("run").get(pk=score_pk)
        application = lock_application(score.application_id)
        if not permissions.may_dispute(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_dispute(score, code, text)
        try:
            with transaction.atomic():
                dispute = ScoreDispute.objects.create(score=score, input=code, text=text.strip(), by=actor)
        except IntegrityError as error:
            if "one_dispute_per_input" not in str(error):
                raise
            raise DomainError("disputed", _("Your company has disputed this input.")) from error
        _tell_operations(dispute, application)
    return dispute


def _refuse_dispute(score: Score, code: str, text: str) -> None:
    if code not in INPUTS:
        raise DomainError("unknown_input", _("A rating has no such input."))
    if score.run.state != RunState.PUBLISHED:
        raise DomainError("not_published", _("Only a published rating can be disputed."))
    if clock.now() > until(score.run):
        raise DomainError("too_late", _("The time to dispute this rating is over."))
    if not text.strip():
        raise DomainError("empty", _("Write what is wrong."), field="text")


def uphold(pk: int, *, actor: User, corrected: Decimal, reason: str, seen: str | None = None) -> ScoreDispute:
    """The provider is right: `corrected` is the value that should have counted, and the level follows it now."""
    with transaction.atomic():
        dispute, application = _decided(pk, actor, DisputeState.UPHELD, reason, seen)
        _refuse_value(dispute, corrected)
        dispute.corrected = corrected
        dispute.save()
        _correct(dispute)
        _tell_provider(dispute, application)
    return dispute


def reject(pk: int, *, actor: User, reason: str, seen: str | None = None) -> ScoreDispute:
    """The score stays as it is."""
    with transaction.atomic():
        dispute, application = _decided(pk, actor, DisputeState.REJECTED, reason, seen)
        dispute.save()
        _tell_provider(dispute, application)
    return dispute


def _decided(
    pk: int, actor: User, state: DisputeState, reason: str, seen: str | None
) -> tuple[ScoreDispute, Application]:
    """The dispute with its decision, not saved; runs, application and dispute are locked."""
    publication.lock_official_runs()
    found = ScoreDispute.objects.values_list("score__application_id", flat=True).get(pk=pk)
    application = lock_application(found)
    dispute = ScoreDispute.objects.select_for_update(of=("self",)).select_related("score__run").get(pk=pk)
    if not permissions.may_decide_dispute(actor, application):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if seen is not None and seen != dispute.state:
        raise StaleVersion("stale", _("This page is out of date: somebody has decided. Nothing was changed."))
    if dispute.state != DisputeState.OPEN:
        raise DomainError("wrong_state", _("This dispute has been decided."))
    if not reason.strip():
        raise DomainError("empty", _("Give the reason that the provider reads."), field="reason")
    dispute.state = state
    dispute.decided_by = actor
    dispute.decided_at = clock.now()
    dispute.decision_reason = reason.strip()
    return dispute, application


def _refuse_value(dispute: ScoreDispute, corrected: Decimal) -> None:
    item = INPUTS[dispute.input]
    most = LARGEST if item.most is None else Decimal(item.most)
    if not 0 <= corrected <= most:
        raise DomainError(
            "value", _("Give a value from 0 to %(most)s.") % {"most": f"{most:f}"}, field="corrected"
        )
    if item.is_whole and corrected != corrected.to_integral_value():
        raise DomainError("value", _("Give a whole number."), field="corrected")
    if standing(dispute.score).inputs[dispute.input]["value"] == str(scoring.rounded(corrected)):
        raise DomainError("value", _("This is the value that counted."), field="corrected")


# Corrections ---------------------------------------------------------------------------------------


def _correct(dispute: ScoreDispute) -> None:
    score = dispute.score
    stood = standing(score)
    inputs = {
        **stood.inputs,
        dispute.input: {
            **stood.inputs[dispute.input],
            "value": str(scoring.rounded(dispute.corrected or scoring.ZERO)),
            "dispute": dispute.pk,
        },
    }
    correction = _rate_again(dispute, score, inputs, stood.parts["previous"])
    after = _score_after(score)
    if after is not None:
        _rate_again(dispute, after, standing(after).inputs, str(correction.score))
    _show_in_directory(score.application_id)


def _rate_again(
    dispute: ScoreDispute, score: Score, inputs: dict[str, object], previous: str | None
) -> ScoreCorrection:
    before = None if previous is None else Decimal(previous)
    rated = scoring.rate(inputs, Rule.parse(score.run.rule), before)  # type: ignore[arg-type]
    return ScoreCorrection.objects.create(original=score, dispute=dispute, **columns(inputs, rated))


def _score_after(score: Score) -> Score | None:
    """That of the quarter after, if its average counted this one; a batch not yet written will read what stands."""
    return (
        Score.objects.filter(
            application=score.application_id,
            run__previous=score.run,
            run__is_preview=False,
            run__period=str(Quarter.named(score.run.period).next),
        )
        .exclude(run__state=RunState.CANCELLED)
        .select_related("run")
        .first()
    )


def _show_in_directory(application_pk: int) -> None:
    """The level that stands of the newest published quarter, if it rated this provider."""
    run = publication.newest()
    score = Score.objects.filter(run=run, application=application_pk).first()
    if run is not None and score is not None:
        ProviderProfile.objects.filter(application=application_pk).update(
            stars=standing(score).level, rated_period=run.period
        )


# Notices -------------------------------------------------------------------------------------------


def _tell_operations(dispute: ScoreDispute, application: Application) -> None:
    notify(
        staff_with(Role.OPS),
        key=f"rating-dispute:{dispute.pk}",
        subject=gettext_lazy("A provider disputes an input of its rating"),
        body=f"{application.number} {application.company_name}\n{dispute.text}",
        link=reverse("admin:compliance_scoredispute_change", args=[dispute.pk]),
    )


def _tell_provider(dispute: ScoreDispute, application: Application) -> None:
    upheld = dispute.state == DisputeState.UPHELD
    notify(
        merchants(application),
        key=f"rating-dispute:{dispute.pk}:decided",
        subject=gettext_lazy("Your dispute of a rating was upheld")
        if upheld
        else gettext_lazy("Your dispute of a rating was rejected"),
        body=format_lazy(
            "{input}: {reason}", input=INPUTS[dispute.input].title, reason=dispute.decision_reason
        ),
        link=reverse("ratings:rating", args=[application.number]),
        email=application.contact_email if application.contact_email_verified_at else "",
    )
