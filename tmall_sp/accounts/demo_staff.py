"""The staff of the demo, known to everybody who reads this file; never in production."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.db import transaction

from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant

PASSWORD = "tianmao-demo-2026"  # noqa: S105 - known to everybody


@dataclass(frozen=True)
class StaffMember:
    """One log-in of the demo."""

    login: str
    name: str
    roles: Sequence[Role] = ()
    is_superuser: bool = False

    @property
    def totp(self) -> str:
        """The Base32 secret of the authenticator: always the same, so that a phone can keep it."""
        digest = hashlib.sha256(f"tmall_sp demo {self.login}".encode()).digest()
        return base64.b32encode(digest[:20]).decode()

    @property
    def role(self) -> str:
        return "superuser" if self.is_superuser else ", ".join(self.roles)


STAFF = (
    StaffMember("lishen", "李审", [Role.REVIEWER]),
    StaffMember("sunshen", "孙审", [Role.REVIEWER]),
    StaffMember("wangyun", "王运", [Role.OPS]),
    StaffMember("zhaoyun", "赵运", [Role.OPS]),
    StaffMember("qiancai", "钱财", [Role.FINANCE]),
    StaffMember("sunshu", "孙数", [Role.FINANCE]),
    StaffMember("wuji", "吴稽", [Role.AUDITOR]),
    StaffMember("admin", "管理员", is_superuser=True),
)


def refuse_in_production() -> None:
    if settings.PRODUCTION:
        raise RuntimeError("Demo log-ins are known to everybody: not in production.")


@transaction.atomic
def create_demo_staff() -> list[User]:
    """Make the staff of the demo, with role, password and authenticator; repeats change nothing.

    RuntimeError in production.
    """
    refuse_in_production()
    return [_create(member) for member in STAFF]


def _create(member: StaffMember) -> User:
    person, new = User.objects.get_or_create(
        username=member.login,
        defaults={
            "first_name": member.name,
            "email": f"{member.login}@staff.tmall-sp.example",
            "is_staff": True,
            "is_superuser": member.is_superuser,
        },
    )
    if new:
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
    grant(person, *member.roles)
    if not Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(person, member.totp)
    return person
