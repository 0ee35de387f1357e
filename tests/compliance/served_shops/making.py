"""What tests of served shops, declared figures and reviews make again and again."""

import datetime as dt
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from applications.models import Application
from compliance.models import ServedShop
from compliance.served_shops import invitations
from tests.compliance.conftest import activate
from tests.people import OTHER_CREDIT_CODE, PDF, admit, begin, complete, hand_in
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.core import clock

SHOP = "花间集旗舰店"


def again(shop: ServedShop) -> ServedShop:
    return ServedShop.objects.get(pk=shop.pk)


def serve(application: Application, owner: User, name: str = SHOP) -> ServedShop:
    """Invited and accepted now."""
    shop = invitations.invite(application.pk, actor=application.applicant, shop_name=name)
    return invitations.accept(shop.pk, actor=owner)


def serve_since(application: Application, owner: User, day: dt.date, name: str = SHOP) -> ServedShop:
    """Invited and accepted on an earlier day."""
    now = clock.offset()
    clock.set_offset(now - (clock.today() - day))
    try:
        return serve(application, owner, name)
    finally:
        clock.set_offset(now)


def another_member(person: User, reviewer: User) -> Application:
    """A second company in the pool, of another person."""
    draft = complete(begin(person), credit_code=OTHER_CREDIT_CODE, company_name="深圳别家有限公司")
    return activate(admit(hand_in(draft), reviewer))


def join(user: User, application: Application, role: str = CompanyRole.READER) -> Membership:
    """The person belongs to the company from now on."""
    assert application.company is not None
    return Membership.objects.create(company=application.company, user=user, role=CompanyRole(role))


def days_ago(days: int) -> dt.date:
    return clock.today() - dt.timedelta(days=days)


def paper(name: str = "证明.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF, content_type="application/pdf")


def picture(name: str = "截图.png") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), content_type="image/png")


def browser(person: User | None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person)
    return client


def at(name: str, *args: Any) -> str:
    return reverse(f"served_shops:{name}", args=args)
