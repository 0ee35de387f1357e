"""The steps of the application form: typed data, the mail's proof, materials, and handing in."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import (
    completeness,
    drafts,
    email_proof,
    permissions,
    selectors,
    served_files,
    services,
    todo,
    uploads,
)
from applications.forms import CodeForm, StepForm, SubmitForm, UploadForm
from applications.lifecycle import State
from applications.models import Application
from applications.views.people import person
from applications.views.refusals import seen_version, told_on_detail_page
from applications.wizard import FORMS, TITLES, step_after
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion


@require_http_methods(["GET", "HEAD", "POST"])
@told_on_detail_page
def edit(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """One step. Any step can be opened at any time while the application can be edited."""
    application = selectors.application_for(person(request), number)
    if step not in TITLES:
        raise Http404
    if not permissions.may_edit(person(request), application):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if application.state not in drafts.EDITABLE:
        messages.info(request, _("The application has been handed in; nothing can be changed now."))
        return redirect("applications:detail", number)
    return _PAGES.get(step, _data_page)(request, application, step)


# Typed data ----------------------------------------------------------------------------------------


def _data_page(request: HttpRequest, application: Application, step: str) -> HttpResponse:
    form_class = FORMS[step]
    if request.method != "POST":
        return _show(request, application, step, form=form_class(instance=application))
    action = request.POST.get("action", "continue")
    form = form_class(request.POST, instance=application, whole=action == "continue")
    if not form.is_valid():
        return _show(request, _again(application), step, form=form)
    seen = seen_version(request)
    try:
        saved = drafts.save_data(application.pk, actor=person(request), data=form.cleaned_data, seen=seen)
    except StaleVersion as error:
        form.add_error(None, str(error.message))
        return _show(request, _again(application), step, form=form, stored=_stored_otherwise(form))
    if step == "contact" and action in _PROOFS:
        return _PROOFS[action](request, saved)
    return _onward(request, saved, step, action)


def _onward(request: HttpRequest, application: Application, step: str, action: str) -> HttpResponse:
    if action == "later":
        messages.success(request, _("Saved. You can go on whenever you like."))
        return redirect("applications:detail", application.number)
    if step == "contact" and application.contact_email_verified_at is None:
        messages.success(request, _("Saved. Now verify the e-mail address."))
        return redirect(todo.edit_url(application, "contact") + "#proof")
    return redirect(todo.edit_url(application, step_after(step)))


def _again(application: Application) -> Application:
    """The stored row: a form writes what was typed into the instance it was given."""
    return Application.objects.get(pk=application.pk)


def _stored_otherwise(form: StepForm) -> list[tuple[str, Any]]:
    """What somebody else stored meanwhile where it differs from what was typed: (label, stored value)."""
    stored = _again(form.instance)
    return [
        (
            str(form.fields[name].label),
            getattr(stored, f"get_{name}_display", lambda n=name: getattr(stored, n))(),
        )
        for name, typed in form.cleaned_data.items()
        if getattr(stored, name) != typed
    ]


# The mail's proof ----------------------------------------------------------------------------------


def _send_code(request: HttpRequest, application: Application) -> HttpResponse:
    try:
        email_proof.send_code(application.pk, actor=person(request))
    except DomainError as error:
        return _contact_refused(request, application, error)
    messages.success(
        request, _("A code has been sent to %(address)s.") % {"address": application.contact_email}
    )
    return redirect(todo.edit_url(application, "contact") + "#proof")


def _verify_code(request: HttpRequest, application: Application) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _show_contact(request, application, form)
    try:
        email_proof.verify_code(application.pk, actor=person(request), code=form.cleaned_data["code"])
    except DomainError as error:
        return _contact_refused(request, application, error, form)
    messages.success(request, _("The e-mail address is verified."))
    return redirect(todo.edit_url(application, "account"))


def _contact_refused(
    request: HttpRequest, application: Application, error: DomainError, code_form: CodeForm | None = None
) -> HttpResponse:
    if code_form is not None and error.field == "code":
        code_form.add_error("code", str(error.message))
    else:
        messages.error(request, str(error.message))
    return _show_contact(request, application, code_form)


def _show_contact(
    request: HttpRequest, application: Application, code_form: CodeForm | None = None
) -> HttpResponse:
    form = FORMS["contact"](instance=application)
    return _show(request, application, "contact", form=form, code_form=code_form or CodeForm(), status=422)


_PROOFS: dict[str, Callable[[HttpRequest, Application], HttpResponse]] = {
    "send_code": _send_code,
    "verify_code": _verify_code,
}


# Materials -----------------------------------------------------------------------------------------


def _materials_page(request: HttpRequest, application: Application, step: str) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            document = uploads.add_document(
                application.pk,
                actor=person(request),
                kind=form.cleaned_data["kind"],
                upload=form.cleaned_data["file"],
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.message))
        else:
            messages.success(request, _("%(name)s has been uploaded.") % {"name": document.original_name})
            return redirect(todo.edit_url(application, step))
    return _show(request, application, step, form=form, documents=selectors.documents_of(application))


@require_POST
@told_on_detail_page
def remove_document(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    application = selectors.application_for(person(request), number)
    document = get_object_or_404(selectors.documents_of(application), pk=pk)
    uploads.remove_document(application.pk, document.pk, actor=person(request))
    messages.success(request, _("%(name)s has been removed.") % {"name": document.original_name})
    return redirect(todo.edit_url(application, "materials"))


@require_safe
def document(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """One of the application's files: pictures are shown, `?download` and everything else is saved."""
    application = selectors.application_for(person(request), number)
    found = get_object_or_404(selectors.documents_of(application), pk=pk)
    return served_files.for_merchant(
        found.file,
        name=found.original_name,
        content_type=found.content_type,
        download="download" in request.GET,
    )


# Handing in ----------------------------------------------------------------------------------------


def _review_page(request: HttpRequest, application: Application, step: str) -> HttpResponse:
    if application.state == State.CHANGES_REQUESTED:
        return redirect(todo.detail_url(application) + "#changes")
    agreement = selectors.current_agreement()
    form = SubmitForm(request.POST or None, initial={"agreement_version": agreement.version})
    if request.method == "POST" and form.is_valid():
        try:
            services.submit(
                application.pk,
                actor=person(request),
                agreement_version=form.cleaned_data["agreement_version"],
                seen=seen_version(request),
            )
        except DomainError as error:
            # Unbound: what is accepted next is the version and the data that this page now shows.
            form = SubmitForm(initial={"agreement_version": agreement.version})
            messages.error(request, str(error.message))
            application = _again(application)
        else:
            messages.success(request, _("Handed in. A reviewer will look at it."))
            return redirect("applications:detail", application.number)
    return _show(
        request,
        application,
        step,
        form=form,
        agreement=agreement,
        documents=selectors.documents_of(application),
        may_submit=application.state == State.SHOP_VERIFIED,
    )


_PAGES: dict[str, Callable[[HttpRequest, Application, str], HttpResponse]] = {
    "materials": _materials_page,
    "review": _review_page,
}


# The frame -----------------------------------------------------------------------------------------


def _show(
    request: HttpRequest, application: Application, step: str, *, form: Any, status: int = 200, **context: Any
) -> HttpResponse:
    gaps = completeness.missing_for_submission(application)
    if step == "contact":
        context.setdefault("code_form", CodeForm())
    context |= {
        "application": application,
        "step": step,
        "title": TITLES[step],
        "steps": _rail(step, gaps),
        "form": form,
        "gaps": gaps,
    }
    return render(request, f"applications/edit/{step}.html", context, status=422 if form.errors else status)


def _rail(step: str, gaps: list[completeness.Gap]) -> list[dict[str, Any]]:
    """The steps beside the form: which is open, and which still have something missing."""
    unfinished = {gap.step for gap in gaps}
    return [
        {
            "code": code,
            "title": title,
            "is_open": code == step,
            "is_finished": code not in unfinished and code != "review",
        }
        for code, title in TITLES.items()
    ]
