"""What a browser does on the complaint desk: opens a step's page, fills its form, confirms what it says."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.complaints import services as complaints
from compliance.models import Complaint
from tests.compliance.complaints.conftest import a_claim
from tmall_sp.accounts.models import User

LIST = "/admin/compliance/complaint/"
ADD = "/admin/compliance/complaint/add/"
REASON = "签收后未退款。\n依据物流记录。"


def enter(application: Application, actor: User, **changes: Any) -> Complaint:
    """By operations, for 顾客丁, who has no account."""
    return complaints.enter(
        application.pk, actor=actor, claim=a_claim(**changes), name="顾客丁", contact="13900000001"
    )


def url(complaint: Complaint, view: str = "change", *args: object) -> str:
    return reverse(f"admin:compliance_complaint_{view}", args=[complaint.pk, *args])


def offered(client: Client, complaint: Complaint) -> list[str]:
    """The steps that the case's page has buttons for."""
    answer = client.get(url(complaint))
    assert answer.status_code == 200
    names = [step.name for step in answer.context["steps"]]
    assert all(url(complaint, name) in answer.content.decode() for name in names)
    return names


def typed(complaint: Complaint, **changes: Any) -> dict[str, Any]:
    """A decision as it is typed; `seen` is the version as the complaint was read."""
    return {
        "seen": complaint.version,
        "liability": "shared",
        "award": "200.00",
        "reason": REASON,
        "internal_note": "对方态度好",
        **changes,
    }


def preview(client: Client, complaint: Complaint, step: str = "decide", **changes: Any) -> Any:
    """The second page: what the decision would do."""
    return client.post(url(complaint, step), typed(complaint, **changes))


def confirm(client: Client, complaint: Complaint, step: str = "decide", **changes: Any) -> Any:
    """Both pages, one after the other."""
    page = preview(client, complaint, step, **changes)
    sent = typed(complaint, **changes) | {"figures": page.context["figures"], "confirm": "1"}
    return client.post(url(complaint, step), sent)


def listed(client: Client, **query: str) -> list[str]:
    """Numbers in the order of the list."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer.headers.get("Location")
    return [row.number for row in answer.context["cl"].result_list]


def cost(client: Client, address: str) -> int:
    """Queries of the second visit."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)
