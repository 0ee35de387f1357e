"""What operations can do with a run and with a dispute: one table each. Whether it happens, the services decide."""

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from compliance.admin.ratings.forms import RejectForm, UpholdForm
from compliance.models import DisputeState, RatingRun, RunState, ScoreDispute
from compliance.ratings import disputes, permissions, publication, runs
from compliance.ratings.words import level_name
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import SeenStateForm, Step, plainly


def _may_rate(user: User, run: RatingRun) -> bool:
    return permissions.may_rate(user)


def _may_decide(user: User, dispute: ScoreDispute) -> bool:
    return permissions.may_decide_dispute(user, dispute.score.application)


def _of_publication(run: RatingRun) -> list[str]:
    """How many rise and fall, and how many stand at each level."""
    outcome = publication.outcome(run)
    levels = ", ".join(f"{level_name(shift.level)} {shift.then}" for shift in outcome.shifts if shift.then)
    return [
        gettext(
            "%(rise)s providers rise, %(fall)s fall, %(same)s stay, and %(first)s are rated for the first time."
        )
        % {"rise": outcome.rise, "fall": outcome.fall, "same": outcome.same, "first": outcome.first},
        gettext("Levels from then on: %(levels)s.") % {"levels": levels},
        gettext("The directory shows the new levels at once, and every provider is told."),
        gettext("It can't be taken back: a wrong input is corrected by a dispute."),
    ]


RUN_STEPS: tuple[Step[RatingRun], ...] = (
    Step(
        name="publish",
        title=pgettext_lazy("rating", "Publish"),
        consequences=_of_publication,
        done=_("The rating is published. The providers are being told."),
        may=_may_rate,
        is_open=lambda run: run.state == RunState.SCORED and not run.is_preview,
        run=lambda pk, user, form: publication.publish(pk, actor=user),
        form=SeenStateForm,
        variant="primary",
        icon="campaign",
    ),
    Step(
        name="cancel",
        title=pgettext_lazy("rating", "Cancel the run"),
        consequences=plainly(
            _(
                "Its scores count for nothing. The quarter can be rated anew; by itself it does not begin again."
            )
        ),
        done=_("The run is cancelled."),
        may=_may_rate,
        is_open=lambda run: run.state in (RunState.QUEUED, RunState.RUNNING, RunState.SCORED),
        run=lambda pk, user, form: runs.cancel(pk, actor=user),
        form=SeenStateForm,
        variant="danger",
        icon="cancel",
    ),
)

DISPUTE_STEPS: tuple[Step[ScoreDispute], ...] = (
    Step(
        name="uphold",
        title=pgettext_lazy("dispute", "Uphold"),
        consequences=plainly(
            _(
                "The provider is scored again with the right value, as is the quarter after where it is rated."
            ),
            _("The directory shows the level that follows at once; the published score stays beside it."),
        ),
        done=_("The dispute is upheld, and the score corrected."),
        may=_may_decide,
        is_open=lambda dispute: dispute.state == DisputeState.OPEN,
        run=lambda pk, user, form: disputes.uphold(
            pk,
            actor=user,
            corrected=form.cleaned_data["corrected"],
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"],
        ),
        form=UpholdForm,
        variant="primary",
        icon="check",
    ),
    Step(
        name="reject",
        title=pgettext_lazy("dispute", "Reject"),
        consequences=plainly(_("The score stays as it is. This input of it can't be disputed again.")),
        done=_("The dispute is rejected."),
        may=_may_decide,
        is_open=lambda dispute: dispute.state == DisputeState.OPEN,
        run=lambda pk, user, form: disputes.reject(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=RejectForm,
        icon="close",
    ),
)
