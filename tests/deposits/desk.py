"""What a browser does on finance's desk: reads a list, opens a step's page, fills its form, sends it."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse


def url(row: Model | type[Model], view: str, *args: object) -> str:
    """`url(refund, "release")`: of a row; `url(Refund, "changelist")`: of its kind."""
    pk = [row.pk] if isinstance(row, Model) else []
    return reverse(f"admin:deposits_{row._meta.model_name}_{view}", args=[*pk, *args])


def listed(client: Client, model: type[Model], **query: str) -> list[Any]:
    """The rows that the list shows."""
    answer = client.get(url(model, "changelist"), query)
    assert answer.status_code == 200, answer.headers.get("Location")
    return list(answer.context["cl"].result_list)


def tabs(client: Client, model: type[Model]) -> dict[str, tuple[int, Any]]:
    """Count and sum behind each tab, by its name in the URL."""
    shown = client.get(url(model, "changelist")).context["tabs"]
    return {tab["url"].partition("tab=")[2]: (tab["count"], tab.get("sum")) for tab in shown}


def offered(client: Client, row: Model) -> list[str]:
    """The steps that the row's page has buttons for."""
    answer = client.get(url(row, "change"))
    assert answer.status_code == 200
    names = [step.name for step in answer.context["steps"]]
    text = answer.content.decode()
    assert all(url(row, name) in text for name in names)
    return names


def take(client: Client, row: Model, step: str, **typed: str) -> Any:
    """Open the step's page, fill it, send it; whoever may not even open it sends it all the same."""
    page = client.get(url(row, step))
    form = page.context.get("form") if page.context else None
    seen = form["seen"].value() if form else ""
    return client.post(url(row, step), {"seen": seen, **typed})


def consequences(client: Client, row: Model, step: str) -> str:
    """What the step's page says before anybody presses."""
    return "\n".join(client.get(url(row, step)).context["consequences"])


def cost(client: Client, address: str) -> int:
    """Queries of the second visit."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)
