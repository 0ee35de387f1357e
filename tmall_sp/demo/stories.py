"""What happened to each of the demo's companies, told by walking the clock through the past.

Every step goes through the services and, where money or Taobao is concerned, over real HTTP to the sandbox,
so that a seeded provider can be paid back, expelled or reviewed like any other.
"""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from applications import drafts, selectors, services, shop_checks, uploads
from applications.models import Application, DocumentKind
from compliance.complaints import services as complaints
from compliance.quarters import Quarter
from compliance.violations import services as violations
from deposits.duties import overdue
from deposits.incoming import payments
from tmall_sp.core import clock
from tmall_sp.demo import cases, sandbox
from tmall_sp.demo.companies import DemoCompany
from tmall_sp.demo.people import staff

Story = Callable[[DemoCompany], None]


@contextmanager
def days_ago(days: float) -> Iterator[None]:
    """The clock of portal and sandbox stands that many days in the past."""
    before = clock.offset()
    clock.set_offset(before - dt.timedelta(days=days))
    try:
        yield
    finally:
        clock.set_offset(before)


# Chapters ------------------------------------------------------------------------------------------


def begin(company: DemoCompany, **shop: object) -> Application:
    """The company logs in and opens an application; its shop is checked at once."""
    opened = shop.pop("opened", clock.today() - dt.timedelta(days=900))
    sandbox.open_accounts(company, opened=opened, **shop)  # type: ignore[arg-type]
    user = sandbox.log_in(company)
    category = "operations" if "运营" in company.data["service_scope"] else "after_sales"
    application = drafts.create_application(user, categories=[category])
    for check in application.shop_checks.all():
        shop_checks.run(check.pk)
    return Application.objects.get(pk=application.pk)


def fill_in(application: Application, company: DemoCompany) -> None:
    """Everything typed, the address proved, a licence handed in."""
    actor = application.applicant
    drafts.save_data(application.pk, actor=actor, data=company.data)
    Application.objects.filter(pk=application.pk).update(contact_email_verified_at=clock.now())
    licence = SimpleUploadedFile("营业执照.png", licence_picture(company), content_type="image/png")
    uploads.add_document(application.pk, actor=actor, kind=DocumentKind.LICENCE, upload=licence)


def hand_in(application: Application) -> None:
    version = selectors.current_agreement().version
    services.submit(application.pk, actor=application.applicant, agreement_version=version)


def approve(application: Application) -> None:
    services.claim(application.pk, actor=staff("lishen"))
    services.approve(application.pk, actor=staff("lishen"), internal_note="资料齐全，执照清晰")


def pay_deposit(application: Application, company: DemoCompany) -> None:
    cashier = payments.open_cashier(application.pk, actor=application.applicant)
    order = application.deposit.orders.get()
    sandbox.pay(cashier, order.out_trade_no, company.alipay_account_id)
    payments.resolve(order)


def admitted(company: DemoCompany, *, joined_days_ago: float) -> Application:
    """From the first click to an active provider, ending that many days ago."""
    with days_ago(joined_days_ago + 6):
        application = begin(company)
        fill_in(application, company)
    with days_ago(joined_days_ago + 5):
        hand_in(application)
    with days_ago(joined_days_ago + 2):
        approve(application)
    with days_ago(joined_days_ago):
        pay_deposit(application, company)
    return Application.objects.get(pk=application.pk)


# Stories -------------------------------------------------------------------------------------------


def serves(company: DemoCompany) -> None:
    """Two shops, whose turnover and whose owners' reviews make its stars."""
    application = admitted(company, joined_days_ago=220)
    owners = [(cases.customer(1), "186000000.00"), (cases.customer(2), "64000000.00")]
    with days_ago(215):
        shops = [cases.serve(application, owner, owner.taobao_nick) for owner, _gmv in owners]
        cases.declare_figures(application)
    quarter = Quarter.current().previous
    with days_ago((clock.today() - quarter.last_day).days + 3):
        cases.review(shops[0], owners[0][0], "客服响应快，大促期间全程在线，售后纠纷明显减少。", 5, 5, 4, 5)
        cases.review(shops[1], owners[1][0], "安装师傅专业，偶尔派单慢。", 4, 5, 3, 4)
        for shop, (_owner, gmv) in zip(shops, owners, strict=True):
            cases.declare_gmv(shop, str(quarter), gmv)


def is_complained_about(company: DemoCompany) -> None:
    """One complaint waits for its answer, another is paid."""
    application = admitted(company, joined_days_ago=150)
    with days_ago(30):
        complaint = cases.complain(
            application,
            cases.customer(0),
            question="delivery",
            text="电视挂架装歪，墙面留下四个洞，服务商拒绝修复。",
            claimed="680.00",
            order_value="3299.00",
            payee=cases.account_of(0),
        )
        complaints.admit(
            complaint.pk,
            actor=application.applicant,
            amount=complaint.claimed,
            text="确系我方安装失误，同意全额赔付。",
        )
    with days_ago(22):
        complaints.act_on_deadline(complaint.pk)
    with days_ago(0.8):
        cases.complain(
            application,
            cases.customer(0),
            question="after_sales",
            text="空调装好后漏水，三周内预约四次都没有人上门。",
            claimed="1200.00",
            order_value="4599.00",
        )


def waits_for_review(company: DemoCompany) -> None:
    with days_ago(3):
        application = begin(company)
        fill_in(application, company)
        hand_in(application)


def is_being_reviewed(company: DemoCompany) -> None:
    waits_for_review(company)
    with days_ago(1):
        application = Application.objects.get(taobao_user_id=company.taobao_user_id)
        services.claim(application.pk, actor=staff("lishen"))


def has_to_change(company: DemoCompany) -> None:
    is_being_reviewed(company)
    application = Application.objects.get(taobao_user_id=company.taobao_user_id)
    services.request_changes(
        application.pk,
        actor=staff("lishen"),
        changes=[
            services.Change("licence", "营业执照右下角的登记机关盖章不清晰，请重新上传彩色扫描件"),
            services.Change("address", "注册地址与营业执照不一致，请按执照填写"),
        ],
        message="其余资料没有问题，补充后会优先处理。",
    )


def has_to_pay(company: DemoCompany) -> None:
    waits_for_review(company)
    approve(Application.objects.get(taobao_user_id=company.taobao_user_id))


def is_too_young(company: DemoCompany) -> None:
    with days_ago(2):
        begin(company, opened=clock.today() - dt.timedelta(days=70))


def has_a_verified_shop(company: DemoCompany) -> None:
    with days_ago(1):
        begin(company)


def leaves(company: DemoCompany) -> None:
    application = admitted(company, joined_days_ago=120)
    with days_ago(12):
        services.request_exit(application.pk, actor=application.applicant, reason="业务调整")


def was_rejected(company: DemoCompany) -> None:
    with days_ago(20):
        application = begin(company)
        fill_in(application, company)
        hand_in(application)
    with days_ago(17):
        services.claim(application.pk, actor=staff("sunshen"))
        services.reject(
            application.pk,
            actor=staff("sunshen"),
            reason="营业执照的经营范围不含电子商务相关服务，暂不符合入驻条件。",
        )


def was_expelled(company: DemoCompany) -> None:
    application = admitted(company, joined_days_ago=90)
    with days_ago(15):
        violation = violations.report(
            application.pk,
            actor=None,
            severity="severe",
            title="伪造售后完成记录",
            facts="抽查 30 单售后工单，其中 21 单的签收凭证系伪造，消费者实际未得到服务。",
        )
        violations.take_up(violation.pk, actor=staff("wangyun"))
        violations.propose(
            violation.pk, actor=staff("wangyun"), severity="severe", finding="已与消费者逐单核实，情况属实。"
        )
    with days_ago(14):
        violations.verify(
            violation.pk, actor=staff("zhaoyun"), reason="伪造售后完成记录，经查证属实，属严重违规。"
        )


def is_reported(company: DemoCompany) -> None:
    application = admitted(company, joined_days_ago=60)
    with days_ago(1):
        violations.report(
            application.pk,
            actor=None,
            severity="severe",
            title="诱导消费者线下交易",
            facts="客服在 3 个会话中要求消费者加微信并直接转账，聊天记录与转账截图已留存。",
        )


def has_to_top_up(company: DemoCompany) -> None:
    """A claim has frozen most of the deposit, and a penalty took more than the rest."""
    application = admitted(company, joined_days_ago=75)
    with days_ago(8):
        complaint = cases.complain(
            application,
            cases.customer(1),
            question="operation",
            text="大促前夜误将主推款价格设为一折，成交 310 单后才下架，损失由店铺承担。",
            claimed="62000.00",
            order_value="62000.00",
        )
    with days_ago(7):
        complaints.contest(
            complaint.pk, actor=application.applicant, text="价格由店铺方运营同事在群内确认后提交，有截图。"
        )
        complaints.finish_evidence(complaint.pk, actor=application.applicant)
        complaints.finish_evidence(complaint.pk, actor=cases.customer(1))
    with days_ago(5):
        cases.verify_violation(
            application,
            title="工单填写虚假完成时间",
            facts="抽查 40 单，其中 9 单的完成时间早于上门时间。",
            reason="未按约定时效上门安装，且在工单中填写虚假完成时间，按协议扣罚。",
            penalty="45000.00",
            ground="rules",
        )


def topped_up_too_late(company: DemoCompany) -> None:
    application = admitted(company, joined_days_ago=100)
    with days_ago(22):
        cases.verify_violation(
            application,
            title="擅自中止服务",
            facts="合同期内撤走全部客服，店铺连续三天无人值守。",
            reason="擅自中止服务，按服务协议收取违约金。",
            penalty="12800.00",
            ground="agreement",
        )
    with days_ago(6):
        overdue.suspend_if_unpaid(application.deposit.demands.get().pk)


STORIES: tuple[Story, ...] = (
    serves,
    waits_for_review,
    has_to_pay,
    has_to_change,
    is_complained_about,
    is_too_young,
    leaves,
    was_expelled,
    is_being_reviewed,
    is_reported,
    has_a_verified_shop,
    was_rejected,
    has_to_top_up,
    topped_up_too_late,
)


def licence_picture(company: DemoCompany) -> bytes:
    """A stand-in for the scan of a business licence."""
    picture = Image.new("RGB", (900, 640), "#fbf6e9")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((24, 24, 876, 616), outline="#b8860b", width=6)
    pen.ellipse((660, 430, 820, 590), outline="#c00000", width=6)
    pen.text((80, 90), "BUSINESS LICENCE (DEMO)", fill="#222222", font_size=40)
    pen.text((80, 200), company.data["credit_code"], fill="#222222", font_size=34)
    pen.text((80, 270), f"Valid until {company.data['licence_valid_until']}", fill="#222222", font_size=28)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()
