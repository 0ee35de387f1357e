"""Admin pages on which staff decide: a table of steps, a page for the object, and a page for each step.

    STEPS = (Step(
        name="hold", title=_("Hold"), consequences=plainly(_("No money leaves until it is released.")),
        done=_("Held."), may=permissions.may_hold, is_open=lambda refund: refund.state == RefundState.QUEUED,
        run=lambda pk, user, form: payouts.hold(pk, actor=user, seen=form.cleaned_data["seen"]),
    ),)

    class RefundAdmin(StepPages[Refund], MoneyAdmin):
        steps, head_template, page_template = STEPS, "admin/deposits/_refund.html", "admin/deposits/refund.html"

The object's page extends admin/base_site.html, and shows its buttons by {% include "admin/_steps.html" %}.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.views.decorators.http import require_http_methods, require_safe

from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

# accounts.User, which lies above this module.
Person = Any
Words = str | Promise
Consequences = Callable[[T], Sequence[Words]]


class StepForm(forms.Form):
    """What a step asks for. `seen` is what the page showed: the object's version.

    The service gets `cleaned_data["seen"]`, compares it under the lock, and raises StaleVersion. For an object
    without a version: see SeenStateForm.
    """

    boxes_title: Words = ""
    seen: forms.Field = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, obj: Any, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"seen": self.seen_of(obj), **self.suggested(obj)})
        self.obj = obj

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        """What has to be unchanged for the step to be what the person decided on."""
        version: int = obj.version
        return version

    def suggested(self, obj: Any) -> dict[str, Any]:
        """What the person may begin from."""
        return {}

    def boxes(self) -> list[forms.BoundField]:
        """What must be ticked; the page shows it first, under `boxes_title`."""
        return []

    def words(self) -> list[forms.BoundField]:
        """What is chosen or typed."""
        boxes = {field.name for field in self.boxes()}
        return [field for field in self.visible_fields() if field.name not in boxes]

    @classmethod
    def with_more(cls, data: QueryDict) -> QueryDict | None:
        """The data with one more empty row, where a button of the form asked for that instead of the step."""
        return None

    def shown_again(self, obj: Any) -> "StepForm":
        """The same words on a page that shows the object as it is now.

        Ticks were given for what the old page showed: they have to be given again.
        """
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        for box in self.boxes():
            data.pop(box.html_name, None)
        data["seen"] = str(self.seen_of(obj))
        return type(self)(obj, data)


class SeenStateForm(StepForm):
    """For an object without a version: what was seen is its state."""

    seen = forms.CharField(widget=forms.HiddenInput)

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        return str(obj.state)


@dataclass(frozen=True)
class Step(Generic[T]):
    """One thing that staff can do with an object.

    `name` is the service's verb and the last part of the URL. `consequences` is said before anybody presses.
    `may` (this person) and `is_open` (this state) decide what is offered; whether it happens, `run(pk, user,
    form)` decides under the lock, and says no by a DomainError, whose `field` names the field to change.
    `one_click`: the object's page has the button itself; there is nothing to type or to consider.
    """

    name: str
    title: Words
    consequences: Consequences[T]
    done: Words
    may: Callable[[Person, T], bool]
    is_open: Callable[[T], bool]
    run: Callable[[int, Person, Any], object]
    form: type[StepForm] = StepForm
    one_click: bool = False
    variant: str = "default"
    icon: str = ""

    def is_offered(self, person: Person, obj: T) -> bool:
        return self.is_open(obj) and self.may(person, obj)


def plainly(*lines: Words) -> Consequences[Any]:
    """The same words whatever the object is."""
    return lambda obj: lines


class StepPages(ReadOnlyAdmin, Generic[M]):
    """The list, the object's page and a page for each step: no add, delete or history.

    Both templates get the object as `original`, `opts`, and what `object_context` adds.
    """

    steps: ClassVar[Sequence[Step[Any]]]
    # Begins both pages: what the object is and in which state. Included.
    head_template: ClassVar[str]
    # The object's page; gets `steps`, those that this person can take now.
    page_template: ClassVar[str]
    # A step's page; a desk's own extends this one (blocks before_fields and below).
    step_template: ClassVar[str] = "admin/step.html"

    # What a desk may say

    def objects(self, request: HttpRequest) -> QuerySet[M]:
        """The rows that have pages, with what the pages need of other tables."""
        rows: QuerySet[M] = self.get_queryset(request)
        return rows

    def object_context(self, request: HttpRequest, obj: M) -> dict[str, Any]:
        """What every page of the object shows."""
        return {}

    def page_context(self, request: HttpRequest, obj: M) -> dict[str, Any]:
        """What the object's own page shows besides."""
        return {}

    def step_context(self, request: HttpRequest, obj: M) -> dict[str, Any]:
        """What the page of a step shows besides."""
        return {}

    def other_urls(self) -> list[URLPattern]:
        """Made by `self.url`; they come before those of the steps."""
        return []

    # The pages

    def get_urls(self) -> list[URLPattern]:
        return [
            self.url("", self.changelist_view, "changelist"),
            self.url("<int:pk>/change/", self.page, "change"),
            *self.other_urls(),
            *(
                self.url(f"<int:pk>/{step.name}/", partial(self.step, step=step), step.name)
                for step in self.steps
            ),
        ]

    def url(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        """`admin:<app>_<model>_<name>`, for staff only."""
        full_name = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=full_name)
        return pattern

    @method_decorator(require_safe)
    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everything about one object, and the steps that this person can take now."""
        obj = self.load(request, pk)
        context = {
            **self._context(request, obj),
            "steps": [step for step in self.steps if step.is_offered(request.user, obj)],
            **self.page_context(request, obj),
        }
        return TemplateResponse(request, self.page_template, context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def step(self, request: HttpRequest, pk: int, *, step: Step[M]) -> HttpResponse:
        """GET says what the step will do; only POST does it.

        1. The page of a step that isn't this person's has status 403 and no button.
        2. A form with errors, or a step that the service refuses, is shown again with every word typed.
        3. A page that was out of date is shown again with the present state, for the person to decide anew.
        """
        obj = self.load(request, pk)
        if request.method != "POST":
            return self._step_page(request, obj, step, step.form(obj))
        if (longer := step.form.with_more(request.POST)) is not None:
            return self._step_page(request, obj, step, step.form(obj, longer))
        form = step.form(obj, request.POST)
        if not form.is_valid():
            return self._step_page(request, obj, step, form)
        try:
            step.run(pk, request.user, form)
        except DomainError as error:
            return self._refused(request, pk, step, form, error)
        messages.success(request, str(step.done))
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", pk)

    def load(self, request: HttpRequest, pk: int) -> M:
        """The object, for whoever may view its kind (others: 403)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.objects(request), pk=pk)

    def _refused(
        self, request: HttpRequest, pk: int, step: Step[M], form: StepForm, error: DomainError
    ) -> HttpResponse:
        obj = self.load(request, pk)
        if isinstance(error, StaleVersion):
            form = form.shown_again(obj)
            form.full_clean()
        field = error.field if error.field in form.fields else None
        form.add_error(field, str(error.message))
        status = 403 if isinstance(error, NotPermitted) else 409
        return self._step_page(request, obj, step, form, status=status)

    def _step_page(
        self, request: HttpRequest, obj: M, step: Step[M], form: StepForm, status: int = 200
    ) -> HttpResponse:
        if not step.may(request.user, obj) and status == 200:
            status = 403
        context = {
            **self._context(request, obj),
            "title": step.title,
            "step": step,
            "consequences": [str(line) for line in step.consequences(obj)],
            "form": form,
            "is_offered": step.is_offered(request.user, obj),
            **self.step_context(request, obj),
        }
        return TemplateResponse(request, self.step_template, context, status=status)

    def site_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the admin needs, for a page without an object."""
        request.current_app = self.admin_site.name
        return {**self.admin_site.each_context(request), "opts": self.opts, "inline_admin_formsets": []}

    def _context(self, request: HttpRequest, obj: M) -> dict[str, Any]:
        return {
            **self.site_context(request),
            "original": obj,
            "title": str(obj),
            "head_template": self.head_template,
            **self.object_context(request, obj),
        }
