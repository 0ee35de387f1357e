"""The people of the tests, and applications in each state, made through the same services as in life."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications import drafts, selectors, services, uploads
from applications.models import Application, DocumentKind, ShopCheck
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant, sync_roles
from tmall_sp.core import clock

CREDIT_CODE = "91330100799655058B"
OTHER_CREDIT_CODE = "91440300708461136T"

COMPANY_DATA: dict[str, Any] = {
    "company_name": "杭州小店电子商务有限公司",
    "credit_code": CREDIT_CODE,
    "licence_valid_until": dt.date(2040, 1, 1),
    "legal_representative": "王小店",
    "region": "33",
    "address": "杭州市余杭区文一西路 969 号",
    "contact_name": "陈联系",
    "contact_phone": "+8613800138000",
    "contact_email": "lianxi@example.com",
    "onboarding_link": "https://xiaodian.tmall.com/",
    "alipay_account_id": "2088102146225135",
}

PDF = b"%PDF-1.4\n%%EOF\n"


def make_merchant(nick: str, taobao_user_id: str, sub_id: str = "") -> User:
    uid = f"{taobao_user_id}-{sub_id}" if sub_id else taobao_user_id
    return User.objects.create(
        username=f"taobao-{uid}",
        taobao_user_id=taobao_user_id,
        taobao_sub_user_id=sub_id,
        taobao_nick=nick,
        email=f"{uid}@example.com",
    )


def make_staff(login: str, name: str, *roles: Role) -> User:
    sync_roles()  # a transactional test's flush took the groups away
    person = User.objects.create_user(login, f"{login}@example.com", "long enough to be one", first_name=name)
    person.is_staff = True
    person.save()
    grant(person, *roles)
    return person


@pytest.fixture
def merchant(db: None) -> User:
    """小店甲, who applies."""
    return make_merchant("小店甲", "706388888")


@pytest.fixture
def sub_account(merchant: User) -> User:
    """A sub-account of 小店甲: edits, but neither pays nor leaves."""
    return make_merchant("小店甲:客服", merchant.taobao_user_id, "99001")


@pytest.fixture
def stranger(db: None) -> User:
    """小店乙, a merchant who has nothing to do with it."""
    return make_merchant("小店乙", "706399999")


@pytest.fixture
def reviewer(db: None) -> User:
    return make_staff("lishen", "李审", Role.REVIEWER)


@pytest.fixture
def second_reviewer(db: None) -> User:
    return make_staff("sunshen", "孙审", Role.REVIEWER)


@pytest.fixture
def ops(db: None) -> User:
    return make_staff("wangyun", "王运", Role.OPS)


@pytest.fixture
def second_ops(db: None) -> User:
    return make_staff("zhaoyun", "赵运", Role.OPS)


@pytest.fixture
def third_ops(db: None) -> User:
    return make_staff("zhouyun", "周运", Role.OPS)


@pytest.fixture
def finance(db: None) -> User:
    return make_staff("qiancai", "钱财", Role.FINANCE)


@pytest.fixture
def second_finance(db: None) -> User:
    return make_staff("sunshu", "孙数", Role.FINANCE)


@pytest.fixture
def auditor(db: None) -> User:
    return make_staff("wuji", "吴稽", Role.AUDITOR)


@pytest.fixture
def superuser(db: None) -> User:
    """Every Django permission, no role of the programme."""
    return User.objects.create_superuser("root", "root@example.com", "long enough to be one")


@pytest.fixture
def draft(merchant: User) -> Application:
    """Just begun; its shop check is queued."""
    return begin(merchant)


@pytest.fixture
def verified(draft: Application) -> Application:
    """Shop verified, everything typed, licence handed in: ready to submit."""
    return complete(draft)


@pytest.fixture
def under_review(verified: Application) -> Application:
    return hand_in(verified)


@pytest.fixture
def claimed(under_review: Application, reviewer: User) -> Application:
    return services.claim(under_review.pk, actor=reviewer)


@pytest.fixture
def changes_requested(claimed: Application, reviewer: User) -> Application:
    change = services.Change("company_name", "公司名称与营业执照不一致")
    return services.request_changes(claimed.pk, actor=reviewer, changes=[change])


@pytest.fixture
def approved(claimed: Application, reviewer: User) -> Application:
    return services.approve(claimed.pk, actor=reviewer)


def begin(person: User) -> Application:
    return drafts.create_application(person, categories=["after_sales"])


def complete(application: Application, **data: Any) -> Application:
    """Type everything, prove the address, hand in a licence, pass the shop check."""
    actor = application.applicant
    drafts.save_data(application.pk, actor=actor, data=COMPANY_DATA | data)
    Application.objects.filter(pk=application.pk).update(contact_email_verified_at=clock.now())
    licence = SimpleUploadedFile("营业执照.pdf", PDF, content_type="application/pdf")
    uploads.add_document(application.pk, actor=actor, kind=DocumentKind.LICENCE, upload=licence)
    ShopCheck.objects.filter(application=application).update(state="done")
    return services.pass_shop_check(application.pk)


def hand_in(application: Application) -> Application:
    version = selectors.current_agreement().version
    return services.submit(application.pk, actor=application.applicant, agreement_version=version)


def admit(application: Application, reviewer: User) -> Application:
    """From handed in to approved, by one reviewer."""
    services.claim(application.pk, actor=reviewer)
    return services.approve(application.pk, actor=reviewer)


@pytest.fixture
def move_clock() -> Iterator[Callable[..., None]]:
    """`move_clock(days=15)`: portal's and sandbox's clock from now on; the true time again after the test."""

    def move(**by: float) -> None:
        clock.set_offset(clock.offset() + dt.timedelta(**by))

    yield move
    clock.set_offset(dt.timedelta())
