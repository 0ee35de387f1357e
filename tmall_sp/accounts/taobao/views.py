"""Log-in with Taobao: authorize → code → token, on allauth's state and session handling."""

from typing import Any

from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from tmall_sp.accounts.taobao import oauth
from tmall_sp.core.gateway import GatewayError


class TaobaoOAuth2Adapter(OAuth2Adapter):
    provider_id = "taobao"

    @property
    def authorize_url(self) -> str:
        return f"{settings.TAOBAO_OAUTH_URL}/authorize"

    @property
    def access_token_url(self) -> str:
        return f"{settings.TAOBAO_OAUTH_URL}/token"

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Under SITE_URL whatever Host the browser sent, as Taobao compares it with the registered one."""
        return settings.SITE_URL + reverse("taobao_callback")

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        try:
            token = oauth.exchange_code(request.GET["code"], self.get_callback_url(request, app))
        except GatewayError as error:
            raise ProviderException("taobao token") from error
        return {
            "access_token": token.access_token,
            "expires_at": token.expires_at,
            "taobao_user_id": token.taobao_user_id,
            "taobao_user_nick": token.nick,
            "sub_taobao_user_id": token.sub_taobao_user_id or "",
            "sub_taobao_user_nick": token.sub_nick or "",
        }

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=data["access_token"], expires_at=data["expires_at"])

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        answer = kwargs["response"]
        identity = {key: answer[key] for key in answer if key not in {"access_token", "expires_at"}}
        return self.get_provider().sociallogin_from_response(request, identity)


oauth2_login = OAuth2LoginView.adapter_view(TaobaoOAuth2Adapter)
oauth2_callback = OAuth2CallbackView.adapter_view(TaobaoOAuth2Adapter)
