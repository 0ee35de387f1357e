"""Reviews by merchants: what providers reported, one page for each, and a page for each decision."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from compliance.models import Review, ReviewState
from compliance.reviews import permissions, selectors
from compliance.reviews import services as reviews
from compliance.templatetags.served_shops import mean_of
from deposits.admin.base import MoneyAdmin, two_lines
from deposits.admin.tabs import Tab, TabFilter
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import SeenStateForm, Step, StepPages, plainly

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    ReviewState.SHOWN: "success",
    ReviewState.REPORTED: "warning",
    ReviewState.HIDDEN: "danger",
}


# The decisions --------------------------------------------------------------------------------------


class DecisionForm(SeenStateForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company reads it, and the author too where the review is hidden or shown again."),
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _may_decide(user: User, review: Review) -> bool:
    return permissions.may_decide(user, review, review.application)


def _what_hiding_does(review: Review) -> Sequence[str]:
    return [
        gettext("It disappears from the directory page of %(company)s, and does not count any more.")
        % {"company": review.application.company_name},
        gettext("Author and provider are told, and read the reason."),
        gettext("The author can't review this provider again for the same quarter."),
    ]


STEPS: tuple[Step[Review], ...] = (
    Step(
        name="keep",
        title=_("Keep the review"),
        consequences=plainly(
            _("It stays in the directory and counts. The provider is told, and can't report it again.")
        ),
        done=_("Kept. The provider has been told."),
        may=_may_decide,
        is_open=lambda review: review.state == ReviewState.REPORTED,
        run=lambda pk, user, form: reviews.keep(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=DecisionForm,
        variant="primary",
        icon="check_circle",
    ),
    Step(
        name="hide",
        title=_("Hide the review"),
        consequences=_what_hiding_does,
        done=_("Hidden. Author and provider have been told."),
        may=_may_decide,
        is_open=lambda review: review.state != ReviewState.HIDDEN,
        run=lambda pk, user, form: reviews.hide(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=DecisionForm,
        variant="danger",
        icon="visibility_off",
    ),
    Step(
        name="show",
        title=_("Show it again"),
        consequences=plainly(
            _("It stands in the directory and counts again. Author and provider read the reason.")
        ),
        done=_("Shown again. Author and provider have been told."),
        may=_may_decide,
        is_open=lambda review: review.state == ReviewState.HIDDEN,
        run=lambda pk, user, form: reviews.show(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=DecisionForm,
        icon="visibility",
    ),
)


# What waits -----------------------------------------------------------------------------------------


class ReviewTabs(TabFilter):
    tabs = (
        Tab("reported", _("Reported by the provider"), selectors.WAITING, urgent=True),
        Tab("shown", pgettext_lazy("reviews", "Shown"), Q(hidden_at__isnull=True)),
        Tab("hidden", pgettext_lazy("reviews", "Hidden"), Q(hidden_at__isnull=False)),
    )


@tasks_from
def review_tasks(request: HttpRequest) -> list[Task]:
    user = request.user
    if not isinstance(user, User) or not has_role(user, Role.OPS):
        return []
    url = reverse("admin:compliance_review_changelist") + "?tab=reported"
    return [Task(_("Reported reviews to decide"), selectors.reported().count(), url)]


# The pages ------------------------------------------------------------------------------------------


@admin.register(Review)
class ReviewAdmin(StepPages[Review], MoneyAdmin):
    steps = STEPS
    head_template = "admin/compliance/reviews/_head.html"
    page_template = "admin/compliance/reviews/review.html"
    step_template = "admin/compliance/reviews/step.html"
    list_display = ["shop", "provider", "mark", "state_label", "written_at", "reported_at"]
    list_select_related = ["application", "served_shop"]
    list_filter = [ReviewTabs, "quarter"]
    list_before_template = "admin/deposits/list_head.html"
    ordering = ["reported_at", "-written_at", "-pk"]
    search_fields = ["application__number", "application__company_name", "served_shop__shop_name", "text"]
    search_help_text = _("Provider, shop, or words of the review.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": ReviewTabs.shown(request, Review.objects.all(), summed=False)}

    @admin.display(description=_("shop and quarter"), ordering="served_shop__shop_name")
    def shop(self, review: Review) -> SafeString:
        return two_lines(review.served_shop.shop_name, review.quarter)

    @admin.display(description=_("provider"), ordering="application__company_name")
    def provider(self, review: Review) -> SafeString:
        return two_lines(review.application.company_name, review.application.number)

    @admin.display(description=_("mean mark"))
    def mark(self, review: Review) -> str:
        return mean_of(review)

    @display(description=_("state"), label=STATE_COLOURS)
    def state_label(self, review: Review) -> tuple[str, str]:
        return review.state, str(review.state.label)

    def objects(self, request: HttpRequest) -> QuerySet[Review]:
        rows: QuerySet[Review] = self.get_queryset(request)
        return rows.select_related("application", "served_shop", "author", "hidden_by")

    def object_context(self, request: HttpRequest, obj: Review) -> dict[str, Any]:
        return {
            "review": obj,
            "application": obj.application,
            "title": f"{obj.application.company_name} · {obj.quarter}",
            "colour": STATE_COLOURS[obj.state],
        }

    def page_context(self, request: HttpRequest, obj: Review) -> dict[str, Any]:
        same_shop = Review.objects.filter(served_shop=obj.served_shop).exclude(pk=obj.pk)
        return {"others": same_shop[:10], "history": obj.steps.select_related("actor")}
