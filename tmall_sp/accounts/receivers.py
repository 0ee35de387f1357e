"""What follows when a second factor is set up."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest

from tmall_sp.accounts.models import User


@receiver(authenticator_added, dispatch_uid="accounts.count_set_up_as_second_factor")
def count_set_up_as_second_factor(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Setting up asks for a code: the session has shown its second factor and isn't asked again."""
    if authenticator.type == Authenticator.Type.TOTP:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
