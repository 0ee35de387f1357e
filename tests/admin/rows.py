"""What a browser does with any row of the desk: opens its page or a step's, fills the form, sends it."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.staff_login import staff_client
from tmall_sp.accounts.models import User


def url(row: Model | type[Model], view: str, *args: object) -> str:
    """`url(change, "accept")`: of a row; `url(RuleChange, "changelist")`: of its kind."""
    pk = [row.pk] if isinstance(row, Model) else []
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=[*pk, *args])


def browser(person: User) -> Client:
    """Of staff with a second factor, in English so that words can be named by their msgid."""
    client = staff_client(person)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def offered(client: Client, row: Model) -> list[str]:
    """The steps that the row's page has buttons for."""
    answer = client.get(url(row, "change"))
    assert answer.status_code == 200
    names = [step.name for step in answer.context["steps"]]
    text = answer.content.decode()
    assert all(url(row, name) in text for name in names)
    return names


def take(client: Client, row: Model, step: str, **typed: str) -> Any:
    """Open the step's page, tick its boxes, fill it, send it."""
    page = client.get(url(row, step))
    form = page.context.get("form") if page.context else None
    data = {"seen": form["seen"].value(), **{box.html_name: "on" for box in form.boxes()}} if form else {}
    return client.post(url(row, step), {**data, **typed})


def consequences(client: Client, row: Model, step: str) -> str:
    """What the step's page says before anybody presses."""
    return "\n".join(client.get(url(row, step)).context["consequences"])


def cost(client: Client, address: str) -> int:
    """Queries of the second visit."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)
