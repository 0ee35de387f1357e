"""The business licence of a member: what is in force, and the renewed one."""

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import completeness, licence_renewals, permissions, selectors, served_files
from applications.forms import LicenceForm
from applications.lifecycle import ADMITTED
from applications.models import Application
from applications.views.people import person
from applications.views.refusals import seen_version, told_on_detail_page
from tmall_sp.core.errors import DomainError, NotPermitted


@require_http_methods(["GET", "HEAD", "POST"])
@told_on_detail_page
def licence(request: HttpRequest, number: str) -> HttpResponse:
    """Show the licence in force and what was handed in; take a renewed one while none is being looked at."""
    application = selectors.application_for(person(request), number)
    form = LicenceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            licence_renewals.hand_in(
                application.pk,
                actor=person(request),
                upload=form.cleaned_data["file"],
                valid_until=form.cleaned_data["valid_until"],
                seen=seen_version(request),
            )
        except NotPermitted:
            raise
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
            application = selectors.application_for(person(request), number)
        else:
            messages.success(request, _("Handed in. Staff will look at it; you are told what they decide."))
            return redirect("applications:licence", number)
    return _page(request, application, form)


def _page(request: HttpRequest, application: Application, form: LicenceForm) -> HttpResponse:
    renewals = list(application.licence_renewals.select_related("handed_in_by"))
    waiting = next((renewal for renewal in renewals if renewal.state == "waiting"), None)
    may_edit = permissions.may_edit(person(request), application)
    may_hand_in = may_edit and application.state in ADMITTED and waiting is None
    return render(
        request,
        "applications/licence.html",
        {
            "application": application,
            "has_expired": completeness.licence_has_expired(application),
            "waiting": waiting,
            "earlier": [renewal for renewal in renewals if renewal is not waiting],
            "may_edit": may_edit,
            "form": form if may_hand_in or form.errors else None,
        },
        status=422 if form.errors else 200,
    )


@require_POST
@told_on_detail_page
def withdraw_licence(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    application = selectors.application_for(person(request), number)
    renewal = get_object_or_404(application.licence_renewals, pk=pk)
    licence_renewals.withdraw(renewal.pk, actor=person(request))
    messages.success(request, _("Taken back. You can hand in another."))
    return redirect("applications:licence", number)


@require_safe
def licence_file(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """A renewed licence: a picture is shown, `?download` and everything else is saved."""
    application = selectors.application_for(person(request), number)
    renewal = get_object_or_404(application.licence_renewals, pk=pk)
    return served_files.for_merchant(
        renewal.file,
        name=renewal.original_name,
        content_type=renewal.content_type,
        download="download" in request.GET,
    )
