"""What applications does when somebody logs in with Taobao."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.dispatch import receiver

from applications import shop_checks
from tmall_sp.accounts.models import User


@receiver(user_logged_in, dispatch_uid="applications.resume_after_login")
def resume_shop_checks(user: User, **kwargs: Any) -> None:
    if user.taobao_user_id:
        shop_checks.resume_after_login(user)
