"""Accounts of staff: made by a superuser only; everybody else's are nobody's to change."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.staff_login import enrol, log_in, staff_client
from tmall_sp.accounts import demo_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.models import Mail

ADD = reverse("admin:accounts_user_add")
LIST = reverse("admin:accounts_user_changelist")
NEW = {
    "username": "zhangshen",
    "first_name": "张审",
    "email": "zhangshen@example.com",
    "password1": "a long one for 张审",
    "password2": "a long one for 张审",
}


def change_url(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])


def form_of(client: Client, person: User) -> dict[str, object]:
    """What the page of a person would send unchanged."""
    form = client.get(change_url(person)).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if name != "password"}
    return {name: value for name, value in data.items() if value not in (None, False)}


class TestSuperuser:
    def test_makes_staff_and_gives_roles(self, superuser: User) -> None:
        client = staff_client(superuser)

        client.post(ADD, NEW)
        person = User.objects.get(username="zhangshen")
        reviewers = Role.REVIEWER
        group = (
            client.get(change_url(person))
            .context["adminform"]
            .form.fields["groups"]
            .queryset.get(name=reviewers)
        )
        client.post(change_url(person), {**form_of(client, person), "groups": [group.pk]})

        person = User.objects.get(username="zhangshen")
        assert person.is_staff and not person.is_superuser
        assert person.check_password(NEW["password1"])
        assert has_role(person, Role.REVIEWER)

    def test_can_not_take_a_name_that_a_merchant_will_have(self, superuser: User) -> None:
        response = staff_client(superuser).post(ADD, {**NEW, "username": "Taobao-706388888"})

        assert response.context["adminform"].form.errors["username"]

    def test_gives_staff_roles_only(self, superuser: User, reviewer: User) -> None:
        page = staff_client(superuser).get(change_url(reviewer))

        names = {group.name for group in page.context["adminform"].form.fields["groups"].queryset}
        assert names == {"reviewer", "expert", "ops", "finance", "auditor"}

    def test_can_bar_a_merchant_but_neither_promote_nor_impersonate_one(
        self, superuser: User, merchant: User
    ) -> None:
        client = staff_client(superuser)

        client.post(change_url(merchant), {"is_staff": "on", "is_superuser": "on"})

        barred = User.objects.get(pk=merchant.pk)
        assert not (barred.is_active or barred.is_staff or barred.is_superuser)
        assert barred.taobao_user_id == merchant.taobao_user_id
        password_form = reverse("admin:auth_user_password_change", args=[merchant.pk])
        assert client.get(password_form).status_code == 403
        assert client.post(password_form, {"password1": "x", "password2": "x"}).status_code == 403

    def test_resets_a_lost_second_factor(self, superuser: User, reviewer: User) -> None:
        enrol(reviewer)

        staff_client(superuser).post(
            LIST, {"action": "reset_second_factor", "_selected_action": [reviewer.pk]}
        )

        assert not Authenticator.objects.filter(user=reviewer).exists()
        assert LogEntry.objects.filter(user=superuser, object_id=str(reviewer.pk)).exists()

    def test_deletes_nobody(self, superuser: User, reviewer: User) -> None:
        client = staff_client(superuser)

        assert client.post(reverse("admin:accounts_user_delete", args=[reviewer.pk])).status_code == 403
        client.post(LIST, {"action": "delete_selected", "_selected_action": [reviewer.pk], "post": "yes"})
        assert User.objects.filter(pk=reviewer.pk).exists()


class TestEverybodyElse:
    @pytest.mark.parametrize("person", ["reviewer", "ops", "finance", "auditor"])
    def test_makes_no_staff(self, person: str, request: pytest.FixtureRequest) -> None:
        response = staff_client(request.getfixturevalue(person)).post(ADD, NEW)

        assert response.status_code == 403
        assert not User.objects.filter(username="zhangshen").exists()

    def test_gives_nobody_a_role(self, ops: User, reviewer: User) -> None:
        client = staff_client(ops)

        assert client.get(change_url(reviewer)).status_code == 200
        assert client.post(change_url(ops), {"is_superuser": "on"}).status_code == 403
        action = {"action": "reset_second_factor", "_selected_action": [reviewer.pk]}
        enrol(reviewer)
        client.post(LIST, action)
        assert Authenticator.objects.filter(user=reviewer).exists()

    @pytest.mark.parametrize("person", ["reviewer", "finance"])
    def test_reads_no_accounts(self, person: str, request: pytest.FixtureRequest) -> None:
        assert staff_client(request.getfixturevalue(person)).get(LIST).status_code == 403


@pytest.mark.parametrize(
    "model",
    [
        "accounts_company",
        "accounts_membership",
        "core_mail",
        "applications_ban",
        "applications_agreement",
    ],
)
def test_records_are_read_and_never_written(model: str, superuser: User) -> None:
    client = staff_client(superuser)

    assert client.get(reverse(f"admin:{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{model}_add")).status_code == 403
    assert client.post(reverse(f"admin:{model}_add"), {}).status_code == 403


def test_a_mailed_code_is_nobodys_to_read(auditor: User) -> None:
    mail = Mail.objects.create(to="a@example.com", subject="验证码", body="493817")

    page = staff_client(auditor).get(reverse("admin:core_mail_change", args=[mail.pk]))

    assert page.status_code == 200
    assert "493817" not in page.content.decode()


@pytest.mark.parametrize("model", ["auth_group", "account_emailaddress", "mfa_authenticator"])
def test_clutter_is_not_in_the_admin(model: str, superuser: User) -> None:
    assert staff_client(superuser).get(f"/admin/{model.replace('_', '/')}/").status_code == 404


class TestDemoStaff:
    def test_log_in_with_what_is_printed(self, db: None, capsys: pytest.CaptureFixture[str]) -> None:
        demo_staff.create_demo_staff()
        call_command("demo_logins", "--json")
        logins = json.loads(capsys.readouterr().out)

        for entry in logins:
            browser = Client()
            log_in(browser, entry["login"], password=entry["password"], secret=entry["totp"])
            assert browser.get("/admin/").status_code == 200
        assert [entry["login"] for entry in logins] == [member.login for member in demo_staff.STAFF]

    def test_are_made_once(self, db: None) -> None:
        first = demo_staff.create_demo_staff()

        assert demo_staff.create_demo_staff() == first
        assert Authenticator.objects.count() == len(first)

    def test_are_printed_for_people_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("demo_logins")

        printed = capsys.readouterr().out
        assert demo_staff.PASSWORD in printed
        assert "李审" in printed
        assert "/authenticator/" in printed

    def test_are_refused_in_production(self, settings: Settings, db: None) -> None:
        settings.PRODUCTION = True

        with pytest.raises(RuntimeError):
            demo_staff.create_demo_staff()
        with pytest.raises(CommandError):
            call_command("demo_logins")
        assert not User.objects.exists()
