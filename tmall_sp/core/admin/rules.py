"""The rule book: each rule as it is now, its history, and the page on which a change is proposed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from tmall_sp.core import rules
from tmall_sp.core.admin.rule_forms import ProposeForm
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import RuleVersion
from tmall_sp.core.read_only_admin import ReadOnlyAdmin
from tmall_sp.core.rulebook import catalogue, changes, overview
from tmall_sp.core.rulebook.catalogue import Rule


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Pages by a rule's code; a version has no page of its own."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self._url("", self.changelist_view, "changelist"),
            self._url("<str:code>/", self.rule, "rule"),
            self._url("<str:code>/propose/", self.propose, "propose"),
        ]

    def _url(self, route: str, view: Any, name: str) -> URLPattern:
        pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=f"core_ruleversion_{name}")
        return pattern

    @method_decorator(require_safe)
    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """The book: what counts, what is coming, what waits for a second person."""
        self._refuse_strangers(request)
        context = {
            **self._context(request),
            "title": self.opts.verbose_name_plural,
            "sections": overview.book(),
            "may_change": changes.may_change_rules(request.user),
        }
        return TemplateResponse(request, "admin/rules/book.html", context)

    @method_decorator(require_safe)
    def rule(self, request: HttpRequest, code: str) -> HttpResponse:
        self._refuse_strangers(request)
        rule = _rule(code)
        context = {
            **self._context(request),
            "title": rule.title,
            "entry": overview.entry(rule),
            "history": overview.history(rule),
            "may_change": changes.may_change_rules(request.user),
        }
        return TemplateResponse(request, "admin/rules/rule.html", context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def propose(self, request: HttpRequest, code: str) -> HttpResponse:
        self._refuse_strangers(request)
        rule = _rule(code)
        if not changes.may_change_rules(request.user):
            raise PermissionDenied(_("Operations change the rules, two people together."))
        form = ProposeForm(rule, request.POST or None)
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                change = changes.propose(
                    code,
                    actor=request.user,
                    value=form.cleaned_data["stored"],
                    valid_from=form.cleaned_data["valid_from"],
                    reason=form.cleaned_data["reason"],
                )
            except DomainError as error:
                form.refuse(error)
                status = 409
            else:
                messages.success(request, _("Proposed. Others of operations have been told."))
                return redirect("admin:core_rulechange_change", change.pk)
        context = {
            **self._context(request),
            "title": rule.title,
            "entry": overview.entry(rule),
            "form": form,
        }
        return TemplateResponse(request, "admin/rules/propose.html", context, status=status)

    def _refuse_strangers(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {**self.admin_site.each_context(request), "opts": self.opts, "inline_admin_formsets": []}


def _rule(code: str) -> Rule:
    """Http404 for an unknown rule, and for one that no migration has given its first value."""
    try:
        rules.in_force(code)
        return catalogue.rule(code)
    except KeyError as error:
        raise Http404 from error
