"""Who may use which URL. What has no row here is refused: see AccessMiddleware.

Rows say which kind of person may knock; whose object it is, selectors and services decide.
"""

from collections.abc import Callable
from enum import Enum

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url

from tmall_sp.accounts.roles import STAFF_ROLES, Role, has_role


class Audience(Enum):
    """Kinds of people, from everybody to one role."""

    ANYONE = "anyone"
    PERSON = "a person who is logged in"
    MERCHANT = "a person with a Taobao account"
    STAFF = "staff of any role, or an administrator, with a second factor"
    OPS = "operations (or the auditor, to read), with a second factor"
    FINANCE = "finance (or the auditor, to read), with a second factor"
    NOBODY = "switched off"


A = Audience

# View name → audience. `namespace:*` stands for every view of a namespace.
ACCESS: dict[str, Audience] = {
    "healthz": A.ANYONE,
    "readyz": A.ANYONE,
    "admin:*": A.STAFF,
    "home": A.ANYONE,
    "login": A.ANYONE,
    "rules": A.ANYONE,
    "set_language": A.ANYONE,
    "console:home": A.MERCHANT,
    "console:notices": A.PERSON,
    "console:open_notice": A.PERSON,
    "console:read_all_notices": A.PERSON,
    "applications:*": A.MERCHANT,
    "deposits:*": A.MERCHANT,
    "alipay_notify": A.ANYONE,
    "complaints:home": A.ANYONE,
    "complaints:*": A.MERCHANT,
    "cases:*": A.MERCHANT,
    "compliance:directory": A.ANYONE,
    "compliance:provider": A.ANYONE,
    "compliance:exit_notices": A.ANYONE,
    "compliance:sanction_notices": A.ANYONE,
    "compliance:report_provider": A.MERCHANT,
    "compliance:reports": A.MERCHANT,
    "served_shops:invitation": A.ANYONE,
    "served_shops:*": A.MERCHANT,
    "reviews:*": A.MERCHANT,
    "ratings:*": A.MERCHANT,
    "compliance:exit": A.MERCHANT,
    "compliance:exit_request": A.MERCHANT,
    "compliance:exit_cancel": A.MERCHANT,
    "compliance:ops": A.OPS,
    "compliance:roster": A.OPS,
    "compliance:roster_provider": A.OPS,
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
    # ... and what is not: nobody signs up, links accounts, or gets back in by e-mail; a lost phone is an
    # administrator's business.
    "account_signup": A.NOBODY,
    "account_email": A.NOBODY,
    "account_email_verification_sent": A.NOBODY,
    "account_confirm_email": A.NOBODY,
    "account_change_password": A.NOBODY,
    "account_set_password": A.NOBODY,
    "account_reset_password": A.NOBODY,
    "account_reset_password_done": A.NOBODY,
    "account_reset_password_from_key": A.NOBODY,
    "account_reset_password_from_key_done": A.NOBODY,
    "account_confirm_login_code": A.NOBODY,
    "mfa_deactivate_totp": A.NOBODY,
    "socialaccount_login_cancelled": A.NOBODY,
    "socialaccount_login_error": A.NOBODY,
    "socialaccount_signup": A.NOBODY,
    "socialaccount_connections": A.NOBODY,
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
        # PostgreSQL has no text with NUL in it.
        if audience is A.NOBODY or any("\0" in str(value) for value in kwargs.values()):
            raise Http404
        if audience is A.ANYONE:
            return None
        if not request.user.is_authenticated:
            log_in = resolve_url("account_login" if audience in _STAFF else settings.LOGIN_URL)
            return redirect_to_login(request.get_full_path(), log_in)
        if not _belongs(request, audience):
            return render(request, "errors/403.html", status=403)
        if _needs_second_factor(request, audience) and not has_second_factor(request):
            return _ask_second_factor(request)
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
# A session from before the second factor was set up must not print its recovery codes.
_RECOVERY = {"mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"}


def _needs_second_factor(request: HttpRequest, audience: Audience) -> bool:
    assert request.resolver_match is not None
    return audience in _STAFF or request.resolver_match.view_name in _RECOVERY


def _ask_second_factor(request: HttpRequest) -> HttpResponse:
    """To the code, and then to where the person wanted to go; to the set-up for whoever has none yet."""
    if is_mfa_enabled(request.user):
        return redirect_to_login(request.get_full_path(), resolve_url("mfa_reauthenticate"))
    return redirect("mfa_activate_totp")


def _belongs(request: HttpRequest, audience: Audience) -> bool:
    user = request.user
    match audience:
        case A.PERSON:
            return True
        case A.MERCHANT:
            return bool(user.taobao_user_id)  # type: ignore[union-attr]
        case A.STAFF:
            return has_role(user, *STAFF_ROLES) or (user.is_active and user.is_superuser)  # type: ignore[arg-type]
        case A.OPS:
            return has_role(user, Role.OPS, Role.AUDITOR)  # type: ignore[arg-type]
        case A.FINANCE:
            return has_role(user, Role.FINANCE, Role.AUDITOR)  # type: ignore[arg-type]
    return False
