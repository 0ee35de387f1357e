"""The Taobao authorisations that people gave by logging in.

Apps of the type 电商后台 can't refresh a token (protocols A4): when it runs out, the merchant logs in
again.
"""

from allauth.socialaccount.models import SocialToken

from tmall_sp.core import clock


def session_key(taobao_user_id: str) -> str | None:
    """A live session key of the main Taobao account, or None when the merchant must log in again."""
    token: str | None = (
        SocialToken.objects.filter(
            account__provider="taobao", account__uid=taobao_user_id, expires_at__gt=clock.now()
        )
        .order_by("-expires_at")
        .values_list("token", flat=True)
        .first()
    )
    return token


def forget_session(token: str) -> None:
    """Taobao said that this session is no longer valid, whatever its expiry."""
    SocialToken.objects.filter(account__provider="taobao", token=token).update(expires_at=clock.now())
