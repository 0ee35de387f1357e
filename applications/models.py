"""An application, its evidence and its history. Who may change what stands in services.py."""

import secrets

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import OPEN_PER_COMPANY, OPEN_PER_USER, Lifecycle, State, edges
from tmall_sp.accounts.models import Company
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect

_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread on paper


def new_number() -> str:
    """A public number that can't be guessed from another."""
    return "SP" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(10))


class Category(models.TextChoices):
    AFTER_SALES = "after_sales", _("Tmall after-sales service provider")
    OPERATIONS = "operations", _("Tmall operations service provider")


class Province(models.TextChoices):
    """First-level regions, by the first two digits of GB/T 2260."""

    P11 = "11", "北京市"
    P12 = "12", "天津市"
    P13 = "13", "河北省"
    P14 = "14", "山西省"
    P15 = "15", "内蒙古自治区"
    P21 = "21", "辽宁省"
    P22 = "22", "吉林省"
    P23 = "23", "黑龙江省"
    P31 = "31", "上海市"
    P32 = "32", "江苏省"
    P33 = "33", "浙江省"
    P34 = "34", "安徽省"
    P35 = "35", "福建省"
    P36 = "36", "江西省"
    P37 = "37", "山东省"
    P41 = "41", "河南省"
    P42 = "42", "湖北省"
    P43 = "43", "湖南省"
    P44 = "44", "广东省"
    P45 = "45", "广西壮族自治区"
    P46 = "46", "海南省"
    P50 = "50", "重庆市"
    P51 = "51", "四川省"
    P52 = "52", "贵州省"
    P53 = "53", "云南省"
    P54 = "54", "西藏自治区"
    P61 = "61", "陕西省"
    P62 = "62", "甘肃省"
    P63 = "63", "青海省"
    P64 = "64", "宁夏回族自治区"
    P65 = "65", "新疆维吾尔自治区"


class CompanyData(models.Model):
    """What the merchant types. Blank while the application is a draft; `services.missing_data` names gaps."""

    company_name = models.CharField(_("company name"), max_length=120, blank=True)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    licence_valid_until = models.DateField(_("licence valid until"), null=True, blank=True)
    licence_permanent = models.BooleanField(_("licence without expiry"), default=False)
    legal_representative = models.CharField(_("legal representative"), max_length=60, blank=True)
    region = models.CharField(_("region"), max_length=2, choices=Province, blank=True)
    address = models.CharField(_("registered address"), max_length=200, blank=True)
    contact_name = models.CharField(_("contact name"), max_length=60, blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=20, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    contact_email_verified_at = models.DateTimeField(_("e-mail verified"), null=True, blank=True)
    onboarding_link = models.URLField(_("onboarding link"), max_length=300, blank=True)
    service_scope = models.CharField(_("service scope"), max_length=300, blank=True)
    alipay_account_id = models.CharField(_("enterprise Alipay account (2088 id)"), max_length=16, blank=True)

    class Meta:
        abstract = True


class Application(Lifecycle, CompanyData):
    """The whole membership of one company. `state` is changed by `door.move` alone."""

    number = models.CharField(_("number"), max_length=12, unique=True, default=new_number, editable=False)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="applications",
        verbose_name=_("applicant"),
    )
    taobao_user_id = models.CharField(_("Taobao user id"), max_length=32, editable=False)
    taobao_nick = models.CharField(_("Taobao nick"), max_length=100, editable=False)
    categories = ArrayField(models.CharField(max_length=12, choices=Category), verbose_name=_("categories"))
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="applications"
    )
    # Where Alipay names the payer by an open id only, the one that was accepted first is bound from then on.
    alipay_open_id = models.CharField(max_length=64, blank=True, editable=False)

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reviews",
        verbose_name=_("reviewer"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    review_due_at = models.DateTimeField(_("review due"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    state_since = models.DateTimeField(_("in this state since"), default=clock.now)
    # The instant after which a sweep lets the state lapse; null: the state has no clock of its own.
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    # Grows with every change; a form carries the one that it showed.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("review_application", "Can review applications"),
            ("reassign_application", "Can assign a review to somebody else"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="application_state_known"),
            models.CheckConstraint(condition=Q(categories__len__gt=0), name="application_has_category"),
            models.CheckConstraint(
                condition=~Q(state=State.EXITING) | ~Q(exit_origin=""), name="exiting_knows_its_origin"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=OPEN_PER_COMPANY) | Q(company__isnull=False),
                name="open_case_has_company",
            ),
            models.UniqueConstraint(
                fields=["taobao_user_id"],
                condition=Q(state__in=OPEN_PER_USER),
                name="one_open_application_per_taobao_user",
            ),
            models.UniqueConstraint(
                fields=["company"],
                condition=Q(state__in=OPEN_PER_COMPANY),
                name="one_open_application_per_company",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deadline_at"], name="application_deadline", condition=Q(deadline_at__isnull=False)
            ),
            models.Index(fields=["taobao_user_id"], name="application_taobao_user"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="lawful_edges",
                field="state",
                transitions=sorted({(source, target) for _, source, target in edges()}),
            ),
            pgtrigger.Protect(
                name="required_exit_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state=State.EXITING, old__exit_required=True)
                & (
                    ~pgtrigger.Q(new__state__in=[State.EXITING, State.EXITED, State.EXPELLED])
                    | pgtrigger.Q(new__exit_required=False)
                ),
            ),
            # Only the owner role, which loads histories, may begin elsewhere.
            pgtrigger.Trigger(
                name="begins_created",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.state <> 'created' AND NOT EXISTS (
                        SELECT 1 FROM pg_catalog.pg_class c
                        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                        WHERE c.oid = TG_RELID AND r.rolname = current_user
                    ) THEN
                        RAISE EXCEPTION 'an application begins in state created, not %', NEW.state
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.company_name or self.taobao_nick}"

    @property
    def is_draft(self) -> bool:
        return self.state in (State.CREATED, State.SHOP_UNQUALIFIED, State.SHOP_VERIFIED)


class Transition(models.Model):
    """One step of an application: the timeline that merchant and reviewer see."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="transitions")
    name = models.CharField(_("step"), max_length=30)
    from_state = models.CharField(_("from"), max_length=20, choices=State, blank=True)
    to_state = models.CharField(_("to"), max_length=20, choices=State)
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of a step that two people decide: the first of them; `actor` is the second.
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Who reported what the step follows from.
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("time"), default=clock.now)
    reason = models.TextField(_("reason"), blank=True)
    internal_note = models.TextField(_("internal note"), blank=True)
    # False: staff only, such as who claimed the review.
    public = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["at", "pk"]
        constraints = [
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True) | (Q(actor__isnull=False) & ~Q(actor=F("proposed_by"))),
                name="transition_decided_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(reported_by__isnull=True)
                | Q(proposed_by__isnull=True)
                | (~Q(reported_by=F("actor")) & ~Q(reported_by=F("proposed_by"))),
                name="transition_not_decided_by_its_reporter",
            ),
        ]
        indexes = [models.Index(fields=["application", "at"], name="transition_timeline")]
        triggers = [
            protect(),
            # No CHECK, as rows from before a roll-back have lost the first person.
            pgtrigger.Trigger(
                name="decided_by_two",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.proposed_by_id IS NULL AND (
                        NEW.name IN ('overturn_expulsion', 'revoke_approval')
                        OR (NEW.name = 'require_exit' AND NEW.actor_id IS NOT NULL)
                    ) THEN
                        RAISE EXCEPTION 'two people decide on %', NEW.name USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class SuspensionCause(models.TextChoices):
    SHORTFALL = "shortfall", _("deposit not filled up")
    SANCTION = "sanction", _("sanction")
    LICENCE_EXPIRED = "licence_expired", _("business licence expired")
    OPS = "ops", _("decision of operations")


# What the company can end by itself. Left as it is for long, it ends the membership.
CURABLE = (SuspensionCause.SHORTFALL, SuspensionCause.LICENCE_EXPIRED)
# What only a person lifts.
LIFTED_BY_A_PERSON = (SuspensionCause.SANCTION, SuspensionCause.OPS)


class Suspension(models.Model):
    """One reason why a member may not serve. Written by suspensions.py alone; open until it is lifted."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="suspensions", verbose_name=_("application")
    )
    cause = models.CharField(_("cause"), max_length=15, choices=SuspensionCause)
    # Tells two of one cause apart, such as two sanctions.
    case = models.CharField(_("case"), max_length=60, blank=True)
    # What the company reads.
    reason = models.TextField(_("reason"))
    opened_at = models.DateTimeField(_("since"), default=clock.now)
    # None: the system.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("opened by"),
    )
    # The instant after which the exit is required; null: the company has no cure in its hands.
    exit_due_at = models.DateTimeField(_("to be cured by"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("lifted by"),
    )
    lift_reason = models.TextField(_("reason for lifting it"), blank=True)

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        ordering = ["opened_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cause__in=SuspensionCause.values), name="suspension_cause_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="suspension_has_reason"),
            models.CheckConstraint(
                condition=~Q(cause=SuspensionCause.OPS) | Q(opened_by__isnull=False),
                name="suspension_by_operations_has_a_person",
            ),
            models.CheckConstraint(
                condition=Q(exit_due_at__isnull=True) | Q(cause__in=CURABLE, exit_due_at__gte=F("opened_at")),
                name="suspension_exit_only_with_a_cure",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (
                    Q(lifted_at__isnull=False, lifted_at__gte=F("opened_at"))
                    & (~Q(cause__in=LIFTED_BY_A_PERSON) | Q(lifted_by__isnull=False))
                ),
                name="suspension_lifted_by_whoever_may",
            ),
            models.UniqueConstraint(
                fields=["application", "cause", "case"],
                condition=Q(lifted_at__isnull=True),
                name="one_open_suspension_per_cause_and_case",
            ),
        ]
        indexes = [
            models.Index(
                fields=["exit_due_at"],
                name="suspension_exit_due",
                condition=Q(lifted_at__isnull=True, exit_due_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="fixed",
                fields=["application", "cause", "case", "reason", "opened_at", "opened_by", "exit_due_at"],
            ),
            pgtrigger.Protect(
                name="lifted_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} {self.case}".rstrip()


class CheckState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting for Taobao")
    REAUTHORISE = "reauthorise", _("waiting for a new log-in")
    DONE = "done", _("done")


class ShopCheck(models.Model):
    """One shop check as a job: a row before a worker hears of it, claimed, and closed with its evidence."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="shop_checks")
    state = models.CharField(_("state"), max_length=11, choices=CheckState, default=CheckState.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    due_at = models.DateTimeField(_("next attempt"), default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("shop check")
        verbose_name_plural = _("shop checks")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=~Q(state=CheckState.DONE),
                name="one_open_check_per_application",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="shop_check_waiting",
                condition=Q(state__in=["queued", "running", "waiting"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.state}"


class ShopEvidence(models.Model):
    """What one finished check read at Taobao, and the verdict on each rule."""

    check_run = models.OneToOneField(ShopCheck, on_delete=models.PROTECT, related_name="evidence")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="shop_evidence")
    at = models.DateTimeField(_("time"), default=clock.now)
    read = models.JSONField(_("what was read"))
    verdicts = models.JSONField(_("verdicts"))
    passed = models.BooleanField(_("passed"))
    tenure_begins = models.DateField(_("service began"), null=True, blank=True)
    tenure_source = models.CharField(
        _("source of the beginning"),
        max_length=20,
        blank=True,
        choices=[
            ("shop_created_on", _("the shop's opening")),
            ("first_order_on", _("a service order")),
            ("bound_on", _("the first log-in here")),
        ],
    )
    eligible_on = models.DateField(_("can pass from"), null=True, blank=True)

    class Meta:
        verbose_name = _("shop evidence")
        verbose_name_plural = _("shop evidence")
        ordering = ["-at", "-pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.application_id} {self.at:%Y-%m-%d %H:%M} {'✓' if self.passed else '✗'}"


class ShopBinding(models.Model):
    """The first time that a Taobao account authorised us: the last resort for the beginning of tenure."""

    taobao_user_id = models.CharField(max_length=32, unique=True)
    bound_at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [protect()]

    def __str__(self) -> str:
        return self.taobao_user_id


class DocumentKind(models.TextChoices):
    LICENCE = "licence", _("business licence")
    ENTRY_LETTER = "entry_letter", _("sealed entry letter")
    CONTRACT = "contract", _("service contract")
    OTHER = "other", _("other material")


class Document(models.Model):
    """A file that the merchant handed in. Never overwritten: a newer one replaces it, the old one stays."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind)
    file = models.FileField(_("file"), upload_to="documents/%Y/%m/", max_length=200)
    original_name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64, db_index=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"), default=clock.now)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["kind", "uploaded_at", "pk"]

    def __str__(self) -> str:
        return self.original_name


class EmailCode(models.Model):
    """A code sent to an address to prove it. Only its hash is kept."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="email_codes")
    email = models.EmailField()
    code_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["application", "-created_at"], name="email_code_recent")]

    def __str__(self) -> str:
        return self.email


class Agreement(models.Model):
    """One version of the programme's rules, shown at /rules/ and accepted with a submission."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"))
    effective_from = models.DateTimeField(_("effective from"))

    class Meta:
        verbose_name = _("programme rules")
        verbose_name_plural = _("programme rules")
        ordering = ["-version"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class AgreementAcceptance(models.Model):
    """Who accepted which version, when."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="acceptances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("accepted"), default=clock.now)

    class Meta:
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")
        constraints = [
            models.UniqueConstraint(fields=["application", "agreement"], name="agreement_accepted_once"),
        ]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.application_id} v{self.agreement.version}"


class ReviewRequest(models.Model):
    """What a reviewer wants changed: one open request an application, answered item by item."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="review_requests")
    message = models.TextField(_("message"), blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), default=clock.now)
    due_at = models.DateTimeField(_("due"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("change request")
        verbose_name_plural = _("change requests")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(closed_at__isnull=True), name="one_open_review_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.created_at:%Y-%m-%d}"


class ReviewItem(models.Model):
    """One named change, with the merchant's answer."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="items")
    # A field of CompanyData, a document kind, or empty for something else.
    subject = models.CharField(_("concerns"), max_length=40, blank=True)
    text = models.CharField(_("what to change"), max_length=500)
    answer = models.CharField(_("answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("requested change")
        verbose_name_plural = _("requested changes")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class Ban(models.Model):
    """Keeps an expelled company out, by each name that it could come back under."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="bans", verbose_name=_("application")
    )
    credit_code = models.CharField(_("unified social credit code"), max_length=18, db_index=True)
    taobao_user_id = models.CharField(_("Taobao user id"), max_length=32, db_index=True)
    alipay_account_id = models.CharField(_("Alipay id"), max_length=16, db_index=True)
    reason = models.TextField(_("reason"))
    begins_at = models.DateTimeField(_("begins"), default=clock.now)
    # null: for good.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")

    def __str__(self) -> str:
        return self.credit_code
