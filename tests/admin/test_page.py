"""The page of one application: everything on it, for staff only, and its files."""

import datetime as dt
import io
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from applications import required_exits, services, suspensions, uploads
from applications.admin import panels
from applications.models import Application, Document, DocumentKind
from tests.admin.pages import PAGE
from tests.admin.test_steps import add_evidence
from tests.people import COMPANY_DATA, PDF, begin
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User


@pytest.fixture
def desk(reviewer: User) -> Client:
    return staff_client(reviewer)


def page(client: Client, application: Application) -> str:
    response = client.get(reverse(PAGE, args=[application.pk]))
    assert response.status_code == 200
    return str(response.content.decode())


def file_url(document: Document, application: Application | None = None) -> str:
    owner = application.pk if application else document.application_id
    return reverse("admin:applications_application_document", args=[owner, document.pk])


def test_shows_what_was_typed_and_what_was_found(desk: Client, claimed: Application) -> None:
    add_evidence(claimed, tenure="not_available", item_score="pass")

    shown = page(desk, claimed)

    for value in COMPANY_DATA.values():
        if isinstance(value, str) and len(value) > 2:
            assert value in shown
    assert "浙江省" in shown
    assert shown.count('class="desk-not_available"') == 1
    assert shown.count('class="desk-pass"') == 1
    assert claimed.taobao_nick in shown


def test_shows_the_whole_timeline_with_what_only_staff_read(
    desk: Client, claimed: Application, reviewer: User
) -> None:
    change = services.Change("company_name", "与营业执照不一致")
    services.request_changes(claimed.pk, actor=reviewer, changes=[change], internal_note="可疑")
    item = claimed.review_requests.get().items.get()
    services.resubmit(claimed.pk, actor=claimed.applicant, answers={item.pk: "已经改好"})

    shown = page(desk, claimed)

    entries = desk.get(reverse(PAGE, args=[claimed.pk])).context["dossier"].timeline
    assert [entry.name for entry in entries] == [
        "create",
        "pass_shop_check",
        "submit",
        "claim",
        "request_changes",
        "resubmit",
    ]
    assert "可疑" in shown
    assert "已经改好" in shown


def test_names_what_stands_against_it(desk: Client, under_review: Application) -> None:
    Application.objects.filter(pk=under_review.pk).update(licence_valid_until=dt.date(2020, 1, 1))

    findings = desk.get(reverse(PAGE, args=[under_review.pk])).context["dossier"].findings

    assert [(finding.code, finding.blocks) for finding in findings] == [
        ("licence_expired", False),
        ("no_evidence", False),
    ]


def test_lists_other_applications_of_the_account(desk: Client, under_review: Application) -> None:
    services.withdraw(under_review.pk, actor=under_review.applicant)
    again = begin(under_review.applicant)

    assert under_review.number in page(desk, again)


def test_costs_the_same_with_a_long_history(desk: Client, claimed: Application, reviewer: User) -> None:
    page(desk, claimed)
    with CaptureQueriesContext(connection) as short:
        page(desk, claimed)
    for _ in range(5):
        services.release(claimed.pk, actor=reviewer)
        services.claim(claimed.pk, actor=reviewer)

    with CaptureQueriesContext(connection) as long:
        page(desk, claimed)

    assert len(long) == len(short)
    assert len(long) <= 18, [query["sql"][:120] for query in long]


@pytest.mark.parametrize("person", ["ops", "finance", "auditor", "superuser"])
def test_other_staff_read_it(person: str, request: pytest.FixtureRequest, claimed: Application) -> None:
    assert claimed.number in page(staff_client(request.getfixturevalue(person)), claimed)


class TestFiles:
    def test_a_pdf_is_shown_in_the_browser_and_stays_what_it_is(
        self, desk: Client, under_review: Application
    ) -> None:
        response = desk.get(file_url(under_review.documents.get()))

        assert response.getvalue() == PDF
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("inline")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "SAMEORIGIN"
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
        assert "default-src 'none'" in response["Content-Security-Policy"]

    def test_a_picture_is_on_the_page(self, desk: Client, changes_requested: Application) -> None:
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "PNG")
        document = uploads.add_document(
            changes_requested.pk,
            actor=changes_requested.applicant,
            kind=DocumentKind.CONTRACT,
            upload=SimpleUploadedFile("合同.png", picture.getvalue()),
        )

        assert f'<img src="{file_url(document)}"' in page(desk, changes_requested)

    def test_what_is_neither_is_downloaded(self, desk: Client, under_review: Application) -> None:
        """Nothing of the kind gets in; if it did, the browser would not run it."""
        Document.objects.update(content_type="text/html")

        response = desk.get(file_url(under_review.documents.get()))

        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment")

    def test_a_replaced_file_can_still_be_read(self, desk: Client, changes_requested: Application) -> None:
        first = changes_requested.documents.get()
        uploads.add_document(
            changes_requested.pk,
            actor=changes_requested.applicant,
            kind=DocumentKind.LICENCE,
            upload=SimpleUploadedFile("新.pdf", PDF),
        )

        assert file_url(first) in page(desk, changes_requested)
        assert desk.get(file_url(first)).status_code == 200

    def test_a_file_of_another_application_is_not_found(
        self, desk: Client, under_review: Application, stranger: User
    ) -> None:
        other = begin(stranger)

        assert desk.get(file_url(under_review.documents.get(), other)).status_code == 404

    @pytest.mark.parametrize("person", ["merchant", "stranger"])
    def test_merchants_have_no_way_here(
        self, person: str, request: pytest.FixtureRequest, under_review: Application
    ) -> None:
        client = staff_client(request.getfixturevalue(person))

        assert client.get(file_url(under_review.documents.get())).status_code == 403

    def test_who_may_not_see_files(self, under_review: Application, reviewer: User) -> None:
        """The permission is the group's: without it, the page hides the files and the view refuses."""
        for group in reviewer.groups.all():
            group.permissions.set(group.permissions.exclude(codename="view_document"))
        client = staff_client(reviewer)
        url = file_url(under_review.documents.get())

        assert url not in page(client, under_review)
        assert client.get(url).status_code == 403


@pytest.fixture
def panel() -> Iterator[None]:
    def about_money(request: object, application: Application) -> panels.Panel:
        return panels.Panel("Deposit", [("Paid", "100000.00")], url="/admin/")

    panels.application_panel(about_money)
    yield
    panels._sources.remove(about_money)


def test_higher_apps_add_their_panels(panel: None, desk: Client, under_review: Application) -> None:
    assert "100000.00" in page(desk, under_review)


def test_names_both_people_of_a_decision_and_why_a_member_is_suspended(
    desk: Client, approved: Application, ops: User, second_ops: User
) -> None:
    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    suspensions.suspend(approved.pk, cause="sanction", case="violation:7", reason="暂停接单七天", actor=ops)
    required_exits.require_exit(approved.pk, actor=ops, second_actor=second_ops, reason="长期不服务")

    shown = page(desk, approved)

    assert "暂停接单七天" in shown and "violation:7" in shown
    assert "王运提出" in shown and "赵运" in shown
