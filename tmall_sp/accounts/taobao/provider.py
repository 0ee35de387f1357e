"""The allauth provider 'taobao': see protocols A4."""

from typing import Any

from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider

from tmall_sp.accounts.taobao.views import TaobaoOAuth2Adapter


class TaobaoAccount(ProviderAccount):
    def to_str(self) -> str:
        return str(self.account.extra_data.get("taobao_user_nick", self.account.uid))


class TaobaoProvider(OAuth2Provider):
    id = "taobao"
    name = "淘宝"
    account_class = TaobaoAccount
    oauth2_adapter_class = TaobaoOAuth2Adapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The numeric id; a sub-account's own id beside its main account's."""
        main, sub = data["taobao_user_id"], data.get("sub_taobao_user_id")
        return f"{main}-{sub}" if sub else str(main)

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"username": self.extract_uid(data)}


provider_classes = [TaobaoProvider]
