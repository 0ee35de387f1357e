"""应用管理: a person's applications, and the page of one of them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_fsm import can_proceed

from applications import (
    completeness,
    drafts,
    licence_renewals,
    permissions,
    selectors,
    services,
    shop_checks,
    todo,
    wizard,
)
from applications.forms import AcceptForm, AnswersForm, NewApplicationForm, WithdrawForm
from applications.lifecycle import ADMITTED, MEMBER, State
from applications.models import Application, CheckState, ReviewItem, SuspensionCause
from applications.views.people import person
from applications.views.refusals import seen_version, told_on_detail_page
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = person(request)
    return render(
        request,
        "applications/list.html",
        {"applications": selectors.applications_of(user), "may_begin": selectors.may_begin(user)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """创建应用: the guided choice that leads to this programme."""
    form = NewApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            application = drafts.create_application(
                person(request), categories=form.cleaned_data["categories"]
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The application has begun. The shop check is already running."))
            return redirect("applications:edit", application.number, "company")
    context = {"form": form, "chosen": form["categories"].value() or []}
    return render(request, "applications/new.html", context, status=422 if form.errors else 200)


@require_safe
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """One application. An htmx request gets the part about the shop check alone, while that is going on."""
    application = selectors.application_for(person(request), number)
    if getattr(request, "htmx", False):
        return _shop_check_part(request, application)
    return _detail_page(request, application)


def _detail_page(
    request: HttpRequest, application: Application, answers: AnswersForm | None = None
) -> HttpResponse:
    user = person(request)
    change_request = selectors.open_request(application)
    if answers is None and change_request is not None:
        answers = AnswersForm(change_request)
    return render(
        request,
        "applications/detail.html",
        {
            "application": application,
            "tasks": _tasks_elsewhere(user, application),
            **_suspensions(application),
            "timeline": selectors.timeline(application).reverse(),
            "documents": selectors.documents_of(application),
            "may_edit": permissions.may_edit(user, application),
            "is_editable": application.state in drafts.EDITABLE,
            "may_withdraw": permissions.may_leave(user, application) and can_proceed(application.withdraw),
            "links": _links(application),
            "change_request": change_request,
            "answers": answers,
            "change_items": _change_items(answers),
            **_shop_check_context(application),
        },
        status=422 if answers and answers.errors else 200,
    )


def _tasks_elsewhere(user: User, application: Application) -> list[todo.Task]:
    """What is to be done on other pages: what is done on this one shows itself."""
    here = f"{todo.detail_url(application)}#"
    return [task for task in todo.tasks_for(user, application) if not task.url.startswith(here)]


def _suspensions(application: Application) -> dict[str, object]:
    """What keeps a member from serving, and the renewed licence that would cure one of them."""
    if application.state not in (State.SUSPENDED, State.EXITING):
        return {"suspensions": []}
    found = list(selectors.open_suspensions(application))
    of_the_licence = any(row.cause == SuspensionCause.LICENCE_EXPIRED for row in found)
    renewal = licence_renewals.waiting_of(application) if of_the_licence else None
    return {"suspensions": found, "renewal": renewal}


def _shop_check_part(request: HttpRequest, application: Application) -> HttpResponse:
    """The whole page is loaded anew as soon as the check has moved the application."""
    shown = f"{application.state}-{int(application.state_since.timestamp())}"
    if request.GET.get("shown") != shown:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    context = {
        "application": application,
        "may_edit": permissions.may_edit(person(request), application),
        **_shop_check_context(application),
    }
    return render(request, "applications/_shop_check.html", context)


def _shop_check_context(application: Application) -> dict[str, object]:
    check = selectors.open_check(application) if application.state in shop_checks.CHECKABLE else None
    now = clock.now()
    is_going_on = check is not None and (
        check.state == CheckState.RUNNING or (check.state == CheckState.QUEUED and check.due_at <= now)
    )
    return {
        "check": check,
        "is_checkable": application.state in shop_checks.CHECKABLE,
        "check_is_going_on": is_going_on,
        "evidence": selectors.latest_evidence(application),
    }


def _links(application: Application) -> dict[str, str]:
    """The pages of deposit, directory, served shops and exit, in the states that have them."""
    names = {}
    if application.approved_by_id:
        names["deposit"] = "deposits:detail"
    if application.state in ADMITTED:
        names["licence"] = "applications:licence"
    if application.state in (*MEMBER, State.EXITED):
        names["exit"] = "compliance:exit"
        names["rating"] = "ratings:rating"
        names |= {"shops": "served_shops:list", "figures": "served_shops:figures", "reviews": "reviews:list"}
    if application.state == State.ACTIVE:
        names["provider"] = "compliance:provider"
    return {key: reverse(name, args=[application.number]) for key, name in names.items()}


def _change_items(answers: AnswersForm | None) -> list[tuple[ReviewItem, BoundField, str]]:
    """Each named change with the field of its answer and the step on which it is made."""
    if answers is None:
        return []
    return [(item, answers[f"answer_{item.pk}"], wizard.step_of(item.subject)) for item in answers.items]


@require_POST
@told_on_detail_page
def check_again(request: HttpRequest, number: str) -> HttpResponse:
    application = selectors.application_for(person(request), number)
    shop_checks.request_again(application.pk, actor=person(request))
    messages.success(request, _("The shop is being checked again."))
    return redirect(todo.detail_url(application) + "#shop-check")


@require_POST
@told_on_detail_page
def resubmit(request: HttpRequest, number: str) -> HttpResponse:
    """Answer the change request and hand in again; what was typed stays when that is refused."""
    application = selectors.application_for(person(request), number)
    change_request = selectors.open_request(application)
    if change_request is None:
        messages.error(request, _("There is no open change request."))
        return redirect("applications:detail", number)
    form = AnswersForm(change_request, request.POST)
    if form.is_valid():
        try:
            services.resubmit(
                application.pk, actor=person(request), answers=form.answers(), seen=seen_version(request)
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
            application = selectors.application_for(person(request), number)
        else:
            messages.success(request, _("Handed in again. The reviewer has been told."))
            return redirect("applications:detail", number)
    return _detail_page(request, application, form)


@require_http_methods(["GET", "HEAD", "POST"])
@told_on_detail_page
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Asks once more, then withdraws. After the approval the deposit's own page does it, as it closes orders first."""
    application = selectors.application_for(person(request), number)
    if not permissions.may_leave(person(request), application):
        raise PermissionDenied(_("Only the main Taobao account of the company can withdraw."))
    if application.state == State.APPROVED:
        return redirect("deposits:withdraw", application.number)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.withdraw(
            application.pk,
            actor=person(request),
            reason=form.cleaned_data["reason"],
            seen=seen_version(request),
        )
        messages.success(request, _("The application has been withdrawn."))
        return redirect("applications:detail", number)
    if not can_proceed(application.withdraw):
        messages.error(request, _("This application can't be withdrawn any more."))
        return redirect("applications:detail", number)
    return render(request, "applications/withdraw.html", {"application": application, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@told_on_detail_page
def agreement(request: HttpRequest, number: str) -> HttpResponse:
    """The rules in force now, to be accepted by a member whose acceptance is of an older version."""
    application = selectors.application_for(person(request), number)
    current = selectors.current_agreement()
    form = AcceptForm(request.POST or None, initial={"agreement_version": current.version})
    if request.method == "POST" and form.is_valid():
        services.accept_agreement(
            application.pk, actor=person(request), agreement_version=form.cleaned_data["agreement_version"]
        )
        messages.success(request, _("You have accepted the rules."))
        return redirect("applications:detail", number)
    gaps = completeness.missing_for_activation(application)
    if not any(gap.code == "agreement" for gap in gaps):
        return redirect("rules")
    return render(
        request,
        "applications/agreement.html",
        {"application": application, "agreement": current, "form": form},
        status=422 if form.errors else 200,
    )
