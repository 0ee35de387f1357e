"""Reviews: who writes, replies, reports and decides; what counts; each guard with what it lets pass."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from applications import services as applications
from applications.models import Application
from compliance.models import Review, ReviewState, ServedShop
from compliance.quarters import Quarter
from compliance.reviews import figures, selectors
from compliance.reviews import services as reviews
from compliance.served_shops import relations
from tests.compliance.reviews.making import MARKS, REASON, TEXT, all_marks, profile
from tests.compliance.served_shops.making import days_ago, join, serve, serve_since
from tests.people import make_merchant
from tmall_sp.accounts.models import Company, User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]


def refusal(act: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value.code, caught.value.field


def again(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


# Writing --------------------------------------------------------------------------------------------


def test_the_owner_reviews_and_the_provider_is_told(
    serving: ServedShop, active: Application, owner: User, merchant: User
) -> None:
    review = reviews.write(serving.pk, actor=owner, marks=MARKS, text=f" {TEXT} ")

    assert (review.quarter, review.text, review.state) == (str(Quarter.current()), TEXT, ReviewState.SHOWN)
    assert profile(active) == (1, Decimal("4.00"))
    assert Notice.objects.get(key=f"review:{review.pk}:written").recipient == merchant


def test_nobody_else_reviews(serving: ServedShop, owner: User, merchant: User, stranger: User) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")
    for person in (stranger, merchant, sub):
        with pytest.raises(NotPermitted):
            reviews.write(serving.pk, actor=person, marks=MARKS)
    assert reviews.write(serving.pk, actor=owner, marks=MARKS)


def test_an_owner_who_joined_the_provider_since_reviews_nothing(
    serving: ServedShop, active: Application, owner: User
) -> None:
    membership = join(owner, active)
    with pytest.raises(NotPermitted):
        reviews.write(serving.pk, actor=owner, marks=MARKS)
    membership.delete()
    assert reviews.write(serving.pk, actor=owner, marks=MARKS)


def test_a_relation_is_reviewed_once_a_quarter(
    review: Review, serving: ServedShop, active: Application, owner: User, move_clock: MoveClock
) -> None:
    def act() -> Review:
        return reviews.write(serving.pk, actor=owner, marks=all_marks(1))

    assert refusal(act)[0] == "reviewed_already"
    move_clock(days=(Quarter.named(review.quarter).last_day - clock.today()).days + 1)
    assert act().quarter > review.quarter
    assert profile(active) == (2, Decimal("2.50"))


def test_a_review_that_was_hidden_is_not_written_anew(
    review: Review, serving: ServedShop, owner: User, ops: User
) -> None:
    reviews.hide(review.pk, actor=ops, reason=REASON)

    assert refusal(lambda: reviews.write(serving.pk, actor=owner, marks=MARKS))[0] == "reviewed_already"


def test_after_its_end_a_relation_is_reviewed_for_thirty_days_from_when_that_was_written_down(
    active: Application, owner: User, merchant: User, move_clock: MoveClock
) -> None:
    """An end that the provider dates back does not spare it the review."""
    shop = serve_since(active, owner, days_ago(200))
    quarter = str(Quarter.current())
    relations.end(shop.pk, actor=merchant, ends_on=days_ago(150))

    move_clock(days=29, hours=23)
    assert reviews.write(shop.pk, actor=owner, marks=MARKS).quarter == quarter


def test_later_it_is_not_reviewed(serving: ServedShop, owner: User, move_clock: MoveClock) -> None:
    relations.end(serving.pk, actor=owner, ends_on=clock.today())
    move_clock(days=30, seconds=1)

    assert refusal(lambda: reviews.write(serving.pk, actor=owner, marks=MARKS))[0] == "not_now"


def test_a_company_that_is_no_member_any_more_is_not_reviewed(
    serving: ServedShop, owner: User, verified_violation: object
) -> None:
    assert refusal(lambda: reviews.write(serving.pk, actor=owner, marks=MARKS))[0] == "not_now"


def test_a_company_that_is_leaving_still_is(
    serving: ServedShop, active: Application, owner: User, merchant: User
) -> None:
    applications.request_exit(active.pk, actor=merchant)

    assert reviews.write(serving.pk, actor=owner, marks=MARKS)


@pytest.mark.parametrize("mark", [0, 6, -1])
def test_marks_go_from_one_to_five(serving: ServedShop, owner: User, mark: int) -> None:
    def act() -> Review:
        return reviews.write(serving.pk, actor=owner, marks=MARKS | {"speed": mark})

    assert refusal(act) == ("marks", "speed")
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.create(
            application=serving.application,
            served_shop=serving,
            author=owner,
            quarter="2026Q1",
            **(MARKS | {"speed": mark}),
        )


def test_what_was_written_is_never_rewritten(review: Review) -> None:
    for change in ({"speed": 5}, {"text": "x"}, {"quarter": "2026Q1"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Review.objects.filter(pk=review.pk).update(**change)


# Figures --------------------------------------------------------------------------------------------


def test_the_mean_is_of_all_dimensions_of_what_is_shown(
    review: Review, active: Application, stranger: User, ops: User
) -> None:
    second = reviews.write(serve(active, stranger, "乙店").pk, actor=stranger, marks=all_marks(1))
    assert profile(active) == (2, Decimal("2.50"))
    marks = figures.of_provider(active)
    assert (marks.of["attitude"], marks.of["speed"]) == (Decimal("3.00"), Decimal("2.00"))

    reviews.hide(second.pk, actor=ops, reason=REASON)
    assert profile(active) == (1, Decimal("4.00"))
    reviews.hide(review.pk, actor=ops, reason=REASON)
    assert profile(active) == (0, None)
    reviews.show(second.pk, actor=ops, reason="误判")
    assert profile(active) == (1, Decimal("1.00"))


# The provider ---------------------------------------------------------------------------------------


def test_the_provider_replies_once_and_the_author_is_told(
    review: Review, merchant: User, owner: User
) -> None:
    assert refusal(lambda: reviews.reply(review.pk, actor=merchant, text=" ")) == ("empty", "reply")
    reviews.reply(review.pk, actor=merchant, text="谢谢支持")

    assert again(review).reply == "谢谢支持"
    assert Notice.objects.filter(recipient=owner, body="谢谢支持").exists()
    assert refusal(lambda: reviews.reply(review.pk, actor=merchant, text="再说一句"))[0] == "replied_already"


def test_the_provider_reports_once_and_it_stays_until_operations_decide(
    review: Review, active: Application, merchant: User, ops: User
) -> None:
    assert refusal(lambda: reviews.report(review.pk, actor=merchant, reason="")) == ("empty", "reason")
    reviews.report(review.pk, actor=merchant, reason="辱骂客服")

    assert again(review).state == ReviewState.REPORTED
    assert profile(active)[0] == 1
    assert Notice.objects.filter(recipient=ops, body__contains="辱骂客服").exists()
    assert list(selectors.reported()) == [review]
    assert refusal(lambda: reviews.report(review.pk, actor=merchant, reason="再报"))[0] == "reported_already"


def test_only_the_provider_replies_and_reports(
    review: Review, owner: User, stranger: User, ops: User
) -> None:
    for person in (owner, stranger, ops):
        with pytest.raises(NotPermitted):
            reviews.reply(review.pk, actor=person, text="回复")
        with pytest.raises(NotPermitted):
            reviews.report(review.pk, actor=person, reason="理由")


def test_a_hidden_review_is_neither_answered_nor_reported(review: Review, merchant: User, ops: User) -> None:
    reviews.hide(review.pk, actor=ops, reason=REASON)

    assert refusal(lambda: reviews.reply(review.pk, actor=merchant, text="回复"))[0] == "hidden"
    assert refusal(lambda: reviews.report(review.pk, actor=merchant, reason="理由"))[0] == "hidden"


# Operations -----------------------------------------------------------------------------------------


def test_a_hidden_review_counts_no_more_and_both_read_why(
    reported_review: Review, active: Application, owner: User, merchant: User, ops: User
) -> None:
    assert refusal(lambda: reviews.hide(reported_review.pk, actor=ops, reason=" ")) == ("empty", "reason")
    hidden = reviews.hide(reported_review.pk, actor=ops, reason=REASON)

    assert (hidden.state, hidden.hidden_by, hidden.report_decided_at) == (
        ReviewState.HIDDEN,
        ops,
        hidden.hidden_at,
    )
    assert profile(active) == (0, None)
    told = Notice.objects.filter(body__contains=REASON)
    assert {notice.recipient for notice in told} == {owner, merchant}
    assert not selectors.shown_of(active).exists()


def test_a_kept_review_stays_and_is_not_reported_again(
    reported_review: Review, active: Application, merchant: User, ops: User
) -> None:
    kept = reviews.keep(reported_review.pk, actor=ops, reason="属正常评价")

    assert kept.state == ReviewState.SHOWN
    assert profile(active) == (1, Decimal("4.00"))
    assert not selectors.reported().exists()
    assert Notice.objects.filter(recipient=merchant, body__contains="属正常评价").exists()
    assert refusal(lambda: reviews.report(kept.pk, actor=merchant, reason="再报"))[0] == "reported_already"


def test_only_what_was_reported_is_kept_and_only_what_is_hidden_is_shown_again(
    review: Review, ops: User
) -> None:
    assert refusal(lambda: reviews.keep(review.pk, actor=ops, reason=REASON))[0] == "wrong_state"
    assert refusal(lambda: reviews.show(review.pk, actor=ops, reason=REASON))[0] == "wrong_state"
    reviews.hide(review.pk, actor=ops, reason=REASON)
    assert refusal(lambda: reviews.hide(review.pk, actor=ops, reason=REASON))[0] == "wrong_state"
    assert reviews.show(review.pk, actor=ops, reason=REASON).state == ReviewState.SHOWN


def test_who_decided_what_and_why_is_kept(reported_review: Review, ops: User, second_ops: User) -> None:
    reviews.hide(reported_review.pk, actor=ops, reason=REASON)
    reviews.show(reported_review.pk, actor=second_ops, reason="误判")

    steps = [(step.name, step.actor, step.note) for step in reported_review.steps.all()]
    assert steps[1:] == [("hide", ops, REASON), ("show", second_ops, "误判")]


@pytest.mark.parametrize("who", ["merchant", "owner", "reviewer", "finance", "auditor", "superuser"])
@pytest.mark.parametrize("step", ["keep", "hide"])
def test_only_operations_decide(
    reported_review: Review, step: str, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotPermitted):
        getattr(reviews, step)(reported_review.pk, actor=request.getfixturevalue(who), reason=REASON)


def test_who_decides_belongs_to_neither_company(
    reported_review: Review, active: Application, ops: User
) -> None:
    membership = join(ops, active)
    with pytest.raises(NotPermitted):
        reviews.hide(reported_review.pk, actor=ops, reason=REASON)
    membership.company = Company.objects.create(credit_code="91440300708461136T", name="别的公司")
    membership.save()
    assert reviews.hide(reported_review.pk, actor=ops, reason=REASON).hidden_by == ops


def test_a_page_that_is_out_of_date_decides_nothing(
    reported_review: Review, ops: User, second_ops: User
) -> None:
    reviews.keep(reported_review.pk, actor=ops, reason="属正常评价", seen="reported")

    with pytest.raises(StaleVersion):
        reviews.hide(reported_review.pk, actor=second_ops, reason=REASON, seen="reported")
    assert reviews.hide(reported_review.pk, actor=second_ops, reason=REASON, seen="shown").hidden_at


def test_a_name_is_masked() -> None:
    assert [selectors.masked(name) for name in ("花间集旗舰店", "花店", "花")] == ["花**店", "花**", "花**"]
