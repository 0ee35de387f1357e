"""Who may knock at which door: every URL of the portal × every kind of person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application
from tests.access.urls import Url, every_url, unnamed
from tests.people import make_staff
from tests.staff_login import enrol, staff_client
from tmall_sp.access import ACCESS, Audience, audience_of
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role

A = Audience
PEOPLE = (
    "anonymous",
    "stranger",
    "merchant",
    "reviewer",
    "expert",
    "ops",
    "finance",
    "auditor",
    "superuser",
)
ADMITTED: dict[Audience, set[str]] = {
    A.ANYONE: set(PEOPLE),
    A.PERSON: set(PEOPLE) - {"anonymous"},
    A.MERCHANT: {"stranger", "merchant"},
    A.STAFF: {"reviewer", "expert", "ops", "finance", "auditor", "superuser"},
    A.OPS: {"ops", "auditor"},
    A.FINANCE: {"finance", "auditor"},
    A.NOBODY: set(),
}


@pytest.fixture
def expert(db: None) -> User:
    return make_staff("wenzhuan", "文专", Role.EXPERT)


@pytest.fixture
def client_of(request: pytest.FixtureRequest, db: None) -> Callable[[str], Client]:
    """`client_of("ops")`: the browser of a person, staff with a second factor."""

    def browser(person: str) -> Client:
        return Client() if person == "anonymous" else staff_client(request.getfixturevalue(person))

    return browser


def is_row_of_its_own(url: Url) -> bool:
    return url.name in ACCESS or f"{url.name.rpartition(':')[0]}:*" in ACCESS


def test_every_url_has_a_row() -> None:
    """Add the missing ones to tmall_sp/access.py: without a row they answer 404 to everybody."""
    assert [url.name for url in every_url() if not is_row_of_its_own(url)] == []


def test_every_row_has_a_url() -> None:
    names = {url.name for url in every_url()}
    namespaces = {f"{name.rpartition(':')[0]}:*" for name in names if ":" in name}
    assert set(ACCESS) - names - namespaces == set()


def test_what_has_no_name_is_switched_off() -> None:
    assert {audience_of(name) for name in unnamed()} <= {A.NOBODY}


def test_a_url_without_a_row_is_refused() -> None:
    assert audience_of("tomorrow") is A.NOBODY
    assert audience_of("tomorrow:new") is A.NOBODY
    assert audience_of(None) is A.NOBODY


@pytest.mark.parametrize("person", PEOPLE)
def test_who_is_let_in(person: str, client_of: Callable[[str], Client]) -> None:
    """By GET, for objects that don't exist: who is let in finds a page, 404, or that it takes a POST.

    Inside the admin each model's own permission decides further (tests/admin).
    """
    client = client_of(person)
    client.raise_request_exception = True

    wrong = []
    for url in every_url():
        audience = audience_of(url.name)
        response = client.get(url.path())
        let_in = not is_turned_away(response)
        if audience is A.NOBODY:
            right = response.status_code == 404
        elif url.name.startswith("admin:") and person in ADMITTED[A.STAFF]:
            right = response.status_code != 302 or let_in
        else:
            right = let_in == (person in ADMITTED[audience])
        if not right:
            wrong.append(f"{url.name}: {response.status_code}, for {audience.value}")
        if "sessionid" in client.cookies and not client.cookies["sessionid"].value:
            client = client_of(person)  # a page logged the person out

    assert wrong == []


def is_turned_away(response: Any) -> bool:
    """To a log-in page, or refused by the middleware; a view's own refusals and redirects are none."""
    if response.status_code == 302:
        log_ins = (reverse("login"), reverse("account_login"))
        return response["Location"].split("?")[0] in log_ins and "next=" in response["Location"]
    return response.status_code == 403 and "errors/403.html" in [t.name for t in response.templates]


OF_AN_APPLICATION = [
    url for url in every_url() if "number" in url.takes and audience_of(url.name) is A.MERCHANT
]


@pytest.mark.parametrize("url", OF_AN_APPLICATION, ids=lambda url: url.name)
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_merchants_object_does_not_exist(
    url: Url, method: str, under_review: Application, client_of: Callable[[str], Client]
) -> None:
    """Whatever the method: 404 as for a number that was never given (405 says nothing either)."""
    licence = under_review.documents.get()
    path = url.path(number=under_review.number, pk=licence.pk)

    knock = getattr(client_of("stranger"), method)
    response = knock(path)

    assert response.status_code in (404, 405)
    assert response.status_code == knock(url.path()).status_code


class TestSecondFactor:
    """Nothing of the staff's answers to a password alone."""

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_asked_for_everywhere(self, method: str, db: None) -> None:
        everything = make_staff("quan", "全", Role.REVIEWER, Role.OPS, Role.FINANCE, Role.AUDITOR)
        knock = getattr(staff_client(everything, second_factor=False), method)

        of_staff = [url for url in every_url() if audience_of(url.name) in (A.STAFF, A.OPS, A.FINANCE)]
        answers = {url.name: knock(url.path()) for url in of_staff}

        assert len(answers) > 30
        assert {name for name, answer in answers.items() if answer.status_code != 302} == set()
        assert {answer["Location"] for answer in answers.values()} == {reverse("mfa_activate_totp")}

    def test_is_asked_again_of_whoever_has_one(self, reviewer: User) -> None:
        """The way leads to the code, and then to where the person wanted to go."""
        enrol(reviewer)

        response = staff_client(reviewer, second_factor=False).get("/admin/?a=b")

        assert response["Location"] == reverse("mfa_reauthenticate") + "?next=/admin/%3Fa%3Db"

    def test_of_one_person_does_not_count_for_another(self, reviewer: User, superuser: User) -> None:
        client = staff_client(reviewer)
        session = client.session
        session["_auth_user_id"] = str(superuser.pk)
        session["_auth_user_hash"] = superuser.get_session_auth_hash()
        session.save()

        assert client.get("/admin/")["Location"] == reverse("mfa_activate_totp")


def test_a_dismissed_member_of_staff_is_out_at_once(reviewer: User) -> None:
    client = staff_client(reviewer)
    assert client.get("/admin/").status_code == 200

    User.objects.filter(pk=reviewer.pk).update(is_staff=False)

    assert client.get("/admin/").status_code == 403


def test_the_page_of_the_log_in_keeps_where_one_wanted_to_go() -> None:
    response = Client().get("/admin/applications/application/?review=mine")

    assert response["Location"] == (
        reverse("account_login") + "?next=/admin/applications/application/%3Freview%3Dmine"
    )


class TestContentSecurityPolicy:
    def test_the_desk_alone_may_evaluate(self, client_of: Callable[[str], Client]) -> None:
        """unfold's Alpine needs it; styles and scripts still come from our own files only."""
        policy = client_of("reviewer").get("/admin/")["Content-Security-Policy"]

        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "'unsafe-inline'" not in policy

    @pytest.mark.parametrize("path", ["/", "/accounts/login/", "/console/", "/healthz"])
    def test_no_other_page_may(self, path: str, client_of: Callable[[str], Client]) -> None:
        policy = client_of("merchant").get(path)["Content-Security-Policy"]

        assert "'unsafe-eval'" not in policy
        assert "'unsafe-inline'" not in policy
