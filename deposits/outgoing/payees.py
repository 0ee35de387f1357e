"""Whom a transfer goes to: an account at Alipay, and whose it has to be (protocols B8)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext as _

from deposits.gateways.alipay import IdentityType
from tmall_sp.core.errors import DomainError

USER_ID = re.compile(r"2088[0-9]{12}")
# An e-mail address or a mobile number, perhaps with its country's.
LOGON_ID = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|(\+?[0-9]{1,4}-?)?[0-9]{6,15}")
LONGEST = 100


@dataclass(frozen=True)
class Payee:
    """An account at Alipay. Where the name is given, Alipay refuses an account that belongs to somebody else."""

    identity: str
    identity_type: IdentityType
    name: str = ""

    def check(self) -> None:
        """DomainError, beside its field, for an account that can't be paid: what Alipay would only refuse later."""
        for field, text in (("payee_identity", self.identity), ("payee_name", self.name)):
            if len(text) > LONGEST:
                raise DomainError("too_long", _("This is too long."), field=field)
        if self.identity_type is IdentityType.USER_ID and not USER_ID.fullmatch(self.identity):
            raise DomainError(
                "no_account", _("An Alipay account number has 16 digits, 2088 first."), field="payee_identity"
            )
        if self.identity_type is IdentityType.LOGON_ID and not LOGON_ID.fullmatch(self.identity):
            raise DomainError(
                "no_account",
                _("A login name at Alipay is an e-mail address or a mobile number."),
                field="payee_identity",
            )
        if self.identity_type is IdentityType.LOGON_ID and not self.name.strip():
            raise DomainError(
                "no_name", _("With a login name Alipay wants the payee's real name."), field="payee_name"
            )
        if not self.identity:
            raise DomainError("no_account", _("Name the account."), field="payee_identity")

    def as_details(self) -> dict[str, str]:
        """As a decision by two people keeps it (Proposal.details)."""
        return {
            "payee_identity": self.identity,
            "payee_identity_type": self.identity_type.value,
            "payee_name": self.name,
        }

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Self:
        return cls(
            identity=str(details["payee_identity"]),
            identity_type=IdentityType(details["payee_identity_type"]),
            name=str(details.get("payee_name", "")),
        )
