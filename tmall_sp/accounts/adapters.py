"""How allauth makes and admits people: merchants by Taobao, staff by password and second factor."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tmall_sp.accounts.models import User


class StaffAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are made by an administrator; nobody signs up with a password."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index") if request.user.is_staff else reverse("console:home")


class TaobaoAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """A Taobao account is never tied to a person already known by another, and follows its renames.

        Staff have their own log-in, with a second factor.
        """
        if sociallogin.state.get("process") == "connect":
            raise ImmediateHttpResponse(redirect("console:home"))
        user = sociallogin.user
        if user.is_staff or user.is_superuser:
            raise ImmediateHttpResponse(_back_to_login("failed"))
        nick = nick_of(sociallogin.account.extra_data)
        if user.pk and user.taobao_nick != nick:
            User.objects.filter(pk=user.pk).update(taobao_nick=nick)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        token = sociallogin.account.extra_data
        user.username = f"taobao-{sociallogin.account.uid}"
        user.taobao_user_id = token["taobao_user_id"]
        user.taobao_sub_user_id = token.get("sub_taobao_user_id") or ""
        user.taobao_nick = nick_of(token)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Back to the log-in page, which says what happened and offers another try."""
        outcome = "cancelled" if str(error) == "cancelled" else "failed"
        raise ImmediateHttpResponse(_back_to_login(outcome))


def nick_of(token: dict[str, Any]) -> str:
    """The nick of a sub-account is `main:sub`."""
    return token.get("sub_taobao_user_nick") or token.get("taobao_user_nick") or ""


def _back_to_login(outcome: str) -> HttpResponse:
    return redirect(f"{reverse('login')}?taobao={outcome}")
