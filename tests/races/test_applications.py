"""Merchants and reviewers press their buttons at the same moment: one outcome, and nobody sees an error."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications import selectors
from applications.lifecycle import State
from applications.models import AgreementAcceptance, Application, DocumentKind, ShopCheck, Transition
from tests.admin.pages import fill, step_url
from tests.deposits.conftest import reload
from tests.people import PDF, begin, complete, make_merchant, make_staff
from tests.races.together import posting, together
from tests.staff_login import staff_client
from tmall_sp.accounts.models import Company, User
from tmall_sp.accounts.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)

SAVED, REFUSED, CONFLICT = 302, 422, 409


def edit(application: Application, step: str) -> str:
    return reverse("applications:edit", args=[application.number, step])


def hand_in_form(application: Application) -> dict[str, object]:
    return {
        "agreement_version": selectors.current_agreement().version,
        "accept_rules": "on",
        "truthful": "on",
        "seen": application.version,
    }


def states() -> list[str]:
    return sorted(Application.objects.values_list("state", flat=True))


def test_one_account_begins_one_application(merchant: User) -> None:
    choice = {"app_type": "ecommerce_backend", "identity": "merchant", "categories": ["after_sales"]}

    answers = together(*(posting(merchant, reverse("applications:new"), **choice) for _ in range(8)))

    assert sorted(answers) == [SAVED] + [REFUSED] * 7
    assert Application.objects.count() == ShopCheck.objects.count() == Transition.objects.count() == 1


def test_one_of_eight_accounts_hands_a_credit_code_in(db: None) -> None:
    """In the pool a company stands once, whichever of its Taobao accounts is quicker."""
    accounts = [make_merchant(f"小店{number}", f"70630000{number}") for number in range(8)]
    drafts = [complete(begin(account)) for account in accounts]

    answers = together(
        *(posting(draft.applicant, edit(draft, "review"), **hand_in_form(draft)) for draft in drafts)
    )

    assert sorted(answers) == [200] * 7 + [SAVED]
    assert states() == [State.SHOP_VERIFIED] * 7 + [State.UNDER_REVIEW]
    assert Company.objects.count() == AgreementAcceptance.objects.count() == 1
    winner = Application.objects.get(state=State.UNDER_REVIEW)
    assert winner.applicant == accounts[answers.index(SAVED)]


def test_an_application_is_handed_in_once(verified: Application, merchant: User) -> None:
    form = hand_in_form(verified)

    answers = together(*(posting(merchant, edit(verified, "review"), **form) for _ in range(8)))

    # Too late is told on the same page, or, to who came when all was over, on the application's.
    assert set(answers) <= {200, SAVED} and SAVED in answers
    assert states() == [State.UNDER_REVIEW]
    assert Transition.objects.filter(name="submit").count() == 1
    assert AgreementAcceptance.objects.count() == 1


def test_one_of_eight_reviewers_claims(under_review: Application) -> None:
    people = [make_staff(f"shen{number}", f"审{number}", Role.REVIEWER) for number in range(8)]
    desks = [staff_client(person) for person in people]
    form = fill(desks[0], under_review, "claim")

    answers = together(
        *(lambda desk=desk: desk.post(step_url(under_review, "claim"), form).status_code for desk in desks)
    )

    assert sorted(answers) == [SAVED] + [CONFLICT] * 7
    assert reload(under_review).reviewer == people[answers.index(SAVED)]
    assert Transition.objects.filter(name="claim").count() == 1


def test_what_is_handed_in_is_what_was_seen(verified: Application, merchant: User) -> None:
    """A colleague's file comes before the submission, which then must be looked at again, or too late."""
    licence = SimpleUploadedFile("新执照.pdf", PDF, content_type="application/pdf")
    seen = set(selectors.documents_of(verified))

    uploaded, handed_in = together(
        posting(merchant, edit(verified, "materials"), kind=DocumentKind.LICENCE, file=licence),
        posting(merchant, edit(verified, "review"), **hand_in_form(verified)),
    )

    now = set(selectors.documents_of(verified))
    if reload(verified).state == State.UNDER_REVIEW:
        assert (handed_in, now) == (SAVED, seen)
        assert uploaded in {SAVED, REFUSED}, "told beside the field, or on the application's page"
    else:
        assert (reload(verified).state, uploaded, handed_in) == (State.SHOP_VERIFIED, SAVED, 200)
        assert now.isdisjoint(seen) and len(now) == 1


def test_nothing_is_handed_in_without_its_licence(verified: Application, merchant: User) -> None:
    [licence] = selectors.documents_of(verified)
    remove = reverse("applications:remove_document", args=[verified.number, licence.pk])

    together(
        posting(merchant, remove),
        posting(merchant, edit(verified, "review"), **hand_in_form(verified)),
    )

    assert (reload(verified).state == State.UNDER_REVIEW) == selectors.documents_of(verified).exists()
