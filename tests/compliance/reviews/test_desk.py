"""The desk for reviews: what was reported, and what each person is offered."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.models import Review, ReviewState
from compliance.reviews import services as reviews
from tests.compliance.reviews.making import REASON, TEXT, all_marks
from tests.compliance.served_shops.making import join, serve
from tests.people import make_merchant
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

LIST = "/admin/compliance/review/"


def url(row: Review, name: str = "change") -> str:
    return reverse(f"admin:compliance_review_{name}", args=[row.pk])


def again(row: Review) -> Review:
    return Review.objects.get(pk=row.pk)


def offered(person: User, row: Review) -> list[str]:
    return [step.name for step in staff_client(person).get(url(row)).context["steps"]]


def take(person: User, row: Review, step: str, **typed: Any) -> Any:
    client = staff_client(person)
    seen = client.get(url(row, step)).context["form"]["seen"].value()
    return client.post(url(row, step), {"seen": seen, **typed})


def listed(person: User, tab: str) -> list[Review]:
    return list(staff_client(person).get(f"{LIST}?tab={tab}").context["cl"].result_list)


def test_a_report_goes_its_way_over_the_desk(reported_review: Review, ops: User, second_ops: User) -> None:
    assert listed(ops, "reported") == [reported_review]
    page = staff_client(ops).get(url(reported_review)).content.decode()
    assert TEXT in page and reported_review.report_reason in page
    assert offered(ops, reported_review) == ["keep", "hide"]

    take(ops, reported_review, "hide", reason=REASON)
    assert again(reported_review).state == ReviewState.HIDDEN
    assert (listed(ops, "reported"), listed(ops, "hidden")) == ([], [reported_review])
    assert offered(second_ops, reported_review) == ["show"]
    take(second_ops, reported_review, "show", reason="误判")
    assert again(reported_review).state == ReviewState.SHOWN


def test_a_reported_review_is_kept_over_the_desk(reported_review: Review, ops: User) -> None:
    take(ops, reported_review, "keep", reason="属正常评价")

    assert again(reported_review).state == ReviewState.SHOWN
    assert offered(ops, reported_review) == ["hide"]


def test_looking_and_saying_nothing_decide_nothing(reported_review: Review, ops: User) -> None:
    for step in ("keep", "hide"):
        assert take(ops, reported_review, step, reason=" ").status_code == 200
    assert again(reported_review).state == ReviewState.REPORTED


def test_a_page_out_of_date_is_shown_again_with_every_word(
    reported_review: Review, ops: User, second_ops: User
) -> None:
    reviews.keep(reported_review.pk, actor=ops, reason="属正常评价")

    answer = staff_client(second_ops).post(
        url(reported_review, "hide"), {"seen": "reported", "reason": REASON}
    )
    assert answer.status_code == 409
    assert REASON in answer.content.decode()
    assert again(reported_review).state == ReviewState.SHOWN


def test_each_is_offered_what_is_theirs(
    reported_review: Review, active: Application, ops: User, second_ops: User, auditor: User
) -> None:
    join(second_ops, active)

    assert [offered(person, reported_review) for person in (ops, second_ops, auditor)] == [
        ["keep", "hide"],
        [],
        [],
    ]
    answer = staff_client(second_ops).post(
        url(reported_review, "hide"), {"seen": "reported", "reason": REASON}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("who", "status"), [("ops", 200), ("auditor", 200), ("reviewer", 403), ("finance", 403)]
)
def test_operations_and_the_auditor_read(
    review: Review, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    client = staff_client(request.getfixturevalue(who))

    for address in (LIST, url(review)):
        assert client.get(address).status_code == status


def test_the_desk_counts_what_was_reported(reported_review: Review, ops: User, auditor: User) -> None:
    def waiting(person: User) -> list[int]:
        tasks = staff_client(person).get("/admin/").context["tasks"]
        return [task.count for task in tasks if task.url == LIST + "?tab=reported"]

    assert waiting(ops) == [1]
    assert waiting(auditor) == []
    reviews.keep(reported_review.pk, actor=ops, reason="属正常评价")
    assert waiting(ops) == [0]


def test_more_reviews_cost_no_more(reported_review: Review, active: Application, ops: User) -> None:
    def cost(address: str) -> int:
        client = staff_client(ops)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    pages = [LIST, url(reported_review)]
    before = [cost(page) for page in pages]
    for number in range(3):
        person = make_merchant(f"店主{number}", f"70660000{number}")
        reviews.write(serve(active, person, f"第{number}家店").pk, actor=person, marks=all_marks(3))

    assert [cost(page) for page in pages] == before
