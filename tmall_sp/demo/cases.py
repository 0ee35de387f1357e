"""What the demo's customers and shop owners do: they are served, review, complain; and what operations decide."""

import io
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from applications.models import Application
from compliance.complaints import services as complaints
from compliance.complaints.services import Claim
from compliance.models import Channel, Complaint, QuestionCode, RatingRun, RunState, ServedShop, Violation
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from compliance.reviews import services as reviews
from compliance.served_shops import declarations, invitations
from compliance.violations import services as violations
from deposits.gateways.alipay import IdentityType
from deposits.outgoing.payees import Payee
from tmall_sp.accounts.models import User
from tmall_sp.demo import sandbox
from tmall_sp.demo.people import staff

FIGURES = {"warehouses": "3", "warehouse_area": "12000", "seats": "85", "staff": "140", "systems": "4"}


def complain(
    application: Application,
    customer: User,
    *,
    question: str,
    text: str,
    claimed: str,
    order_value: str,
    payee: Payee | None = None,
) -> Complaint:
    claim = Claim(
        channel=Channel.OFFLINE if question == "charges" else Channel.ONLINE,
        order_number=f"{order_value.partition('.')[0]}{customer.taobao_user_id}",
        order_value=Decimal(order_value),
        question=QuestionCode.objects.get(code=question),
        text=text,
        claimed=Decimal(claimed),
        payee=payee,
    )
    return complaints.file(application.pk, actor=customer, claim=claim)


def verify_violation(
    application: Application, *, title: str, facts: str, reason: str, penalty: str, ground: str
) -> Violation:
    """Reported by the system, investigated and verified by two people of operations."""
    violation = violations.report(application.pk, actor=None, severity="general", title=title, facts=facts)
    violations.take_up(violation.pk, actor=staff("wangyun"))
    violations.propose(
        violation.pk,
        actor=staff("wangyun"),
        severity="general",
        ground=ground,
        finding="已调取工单和聊天记录，逐条核对，情况属实。",
        penalty=Decimal(penalty),
    )
    return violations.verify(violation.pk, actor=staff("zhaoyun"), reason=reason)


def serve(application: Application, owner: User, shop_name: str) -> ServedShop:
    """Invited by the provider, authorised by the shop's owner."""
    shop = invitations.invite(application.pk, actor=application.applicant, shop_name=shop_name)
    return invitations.accept(shop.pk, actor=owner)


def declare_gmv(shop: ServedShop, quarter: str, value: str) -> None:
    declared = declarations.declare_gmv(
        shop.pk,
        actor=shop.application.applicant,
        quarter=quarter,
        value=Decimal(value),
        upload=evidence(f"{shop.shop_name} {quarter}"),
    )
    declarations.verify(declared.pk, actor=staff("wangyun"))


def declare_figures(application: Application) -> None:
    for figure, value in FIGURES.items():
        declared = declarations.declare_figure(
            application.pk,
            actor=application.applicant,
            figure=figure,
            value=Decimal(value),
            upload=evidence(figure),
        )
        declarations.verify(declared.pk, actor=staff("zhaoyun"))


def review(shop: ServedShop, owner: User, text: str, *marks: int) -> None:
    dimensions = ("attitude", "professionalism", "speed", "results")
    reviews.write(shop.pk, actor=owner, marks=dict(zip(dimensions, marks, strict=True)), text=text)


def publish_the_last_rating() -> None:
    """As a person of operations does once the quarter has closed, and Celery, or we, have scored it."""
    runs.begin_what_is_due()
    run = runs.official(Quarter.current().previous).first()
    if run is None:  # nobody was a member then
        return
    while RatingRun.objects.filter(pk=run.pk, state__in=[RunState.QUEUED, RunState.RUNNING]).exists():
        runs.work(run.pk)
    publication.publish(run.pk, actor=staff("wangyun"))


def customer(number: int) -> User:
    """A person with a Taobao and a private Alipay account, logged in."""
    return sandbox.log_in_customer(*CUSTOMERS[number])


CUSTOMERS = (
    (2_200_800_000_001, "林小棠", "2088800000810011"),
    (2_200_800_000_002, "森林家居旗舰店", "2088800000810029"),
    (2_200_800_000_003, "鹿角数码专营店", "2088800000810037"),
)


def account_of(number: int) -> Payee:
    _taobao_user_id, name, alipay_account_id = CUSTOMERS[number]
    return Payee(alipay_account_id, IdentityType.USER_ID, name)


def evidence(title: str) -> SimpleUploadedFile:
    """A stand-in for the scan of a contract or statement."""
    picture = Image.new("RGB", (700, 460), "#ffffff")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, 680, 440), outline="#999999", width=3)
    pen.text((50, 60), "EVIDENCE (DEMO)", fill="#222222", font_size=32)
    pen.text((50, 130), title.encode("ascii", "replace").decode(), fill="#555555", font_size=22)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return SimpleUploadedFile("凭证.png", out.getvalue(), content_type="image/png")
