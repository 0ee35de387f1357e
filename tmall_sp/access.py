"""Who may use which URL. What has no row here is refused: see AccessMiddleware.

Rows say which kind of person may knock; whose object it is, selectors and services decide.
"""

from collections.abc import Callable
from enum import Enum

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tmall_sp.accounts.roles import STAFF_ROLES, Role, has_role


class Audience(Enum):
    """Kinds of people, from everybody to one role."""

    ANYONE = "anyone"
    PERSON = "a person who is logged in"
    MERCHANT = "a person with a Taobao account"
    STAFF = "staff of any role, with a second factor"
    OPS = "operations (or the auditor, to read), with a second factor"
    FINANCE = "finance (or the auditor, to read), with a second factor"
    NOBODY = "switched off"


A = Audience

# View name → audience. `namespace:*` stands for every view of a namespace.
ACCESS: dict[str, Audience] = {
    "healthz": A.ANYONE,
    "readyz": A.ANYONE,
    "admin:*": A.STAFF,
    # allauth: what is used ...
    "account_login": A.ANYONE,
    "account_logout": A.ANYONE,
    "account_inactive": A.ANYONE,
    "account_reauthenticate": A.PERSON,
    "mfa_authenticate": A.ANYONE,
    "mfa_reauthenticate": A.PERSON,
    "mfa_index": A.PERSON,
    "mfa_activate_totp": A.PERSON,
    "mfa_view_recovery_codes": A.PERSON,
    "mfa_generate_recovery_codes": A.PERSON,
    "mfa_download_recovery_codes": A.PERSON,
    "taobao_login": A.ANYONE,
    "taobao_callback": A.ANYONE,
}


class AccessMiddleware:
    """Refuses by default: every view needs a row in ACCESS, and the person its audience."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        assert request.resolver_match is not None
        audience = audience_of(request.resolver_match.view_name)
        if audience is A.NOBODY:
            raise Http404
        if audience is A.ANYONE:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not _belongs(request, audience):
            return render(request, "errors/403.html", status=403)
        if audience in _STAFF and not has_second_factor(request):
            return redirect("mfa_activate_totp")
        return None


def audience_of(view_name: str | None) -> Audience:
    """The row of a view; NOBODY for a view without one."""
    if view_name in ACCESS:
        return ACCESS[view_name]
    namespace = (view_name or "").rpartition(":")[0]
    return ACCESS.get(f"{namespace}:*", A.NOBODY)


def has_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened with a second factor."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


_STAFF = {A.STAFF, A.OPS, A.FINANCE}


def _belongs(request: HttpRequest, audience: Audience) -> bool:
    user = request.user
    match audience:
        case A.PERSON:
            return True
        case A.MERCHANT:
            return bool(user.taobao_user_id)  # type: ignore[union-attr]
        case A.STAFF:
            return has_role(user, *STAFF_ROLES)  # type: ignore[arg-type]
        case A.OPS:
            return has_role(user, Role.OPS, Role.AUDITOR)  # type: ignore[arg-type]
        case A.FINANCE:
            return has_role(user, Role.FINANCE, Role.AUDITOR)  # type: ignore[arg-type]
    return False
