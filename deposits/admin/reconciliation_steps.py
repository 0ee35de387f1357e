"""What finance does about a day's reconciliation, and about one difference of it."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from deposits import permissions
from deposits.admin.forms import AttemptForm
from deposits.models import Difference, ReconciliationRun
from deposits.reconciliation import decisions as reconciliation_decisions
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, StepForm, plainly


class SeenDifferenceForm(StepForm):
    """`seen` is the mark of the figures."""

    seen = forms.CharField(widget=forms.HiddenInput)

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        return reconciliation_decisions.mark_of(obj)


class ExplainForm(SeenDifferenceForm):
    note = forms.CharField(
        label=_("What you found out"),
        help_text=_("And how you know. Finance and the auditor read it; it can't be changed afterwards."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


def _may_handle_money(user: User, row: object) -> bool:
    return permissions.may_handle_money(user)


def _explaining(difference: Difference) -> list[str]:
    lines = [
        gettext(
            "It is no longer open, as long as its figures stay as they are. No money moves, nothing is booked."
        )
    ]
    if reconciliation_decisions.twins_of(difference).exists():
        lines.append(
            gettext("The other bill of this day has the same movement: the note is kept there, too.")
        )
    return lines


RUN_STEPS = (
    Step[ReconciliationRun](
        name="again",
        title=_("Compare again"),
        consequences=plainly(
            _("Alipay is asked for both bills of this day again. Differences and explanations stay.")
        ),
        done=_("The day is being compared again. Load this page anew in a moment."),
        may=_may_handle_money,
        is_open=lambda run: True,
        run=lambda pk, user, form: reconciliation_decisions.again(
            pk, actor=user, seen=form.cleaned_data["seen"]
        ),
        form=AttemptForm,
        one_click=True,
        icon="refresh",
    ),
)

DIFFERENCE_STEPS: tuple[Step[Difference], ...] = (
    Step(
        name="ask",
        title=_("Ask Alipay"),
        consequences=plainly(
            _(
                "Alipay is asked about this number now. What it confirms and we lack is booked; the rest is only noted."
            )
        ),
        done=_("Alipay has been asked."),
        may=_may_handle_money,
        is_open=reconciliation_decisions.can_be_asked_about,
        run=lambda pk, user, form: reconciliation_decisions.ask_alipay(
            pk, actor=user, seen=form.cleaned_data["seen"]
        ),
        form=SeenDifferenceForm,
        one_click=True,
        icon="help",
    ),
    Step(
        name="explain",
        title=_("Explain"),
        consequences=_explaining,
        done=_("Explained."),
        may=_may_handle_money,
        is_open=lambda difference: difference.settled_at is None,
        run=lambda pk, user, form: reconciliation_decisions.explain(
            pk, actor=user, note=form.cleaned_data["note"], seen=form.cleaned_data["seen"]
        ),
        form=ExplainForm,
        variant="primary",
        icon="edit_note",
    ),
)
