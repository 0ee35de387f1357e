"""What a browser does on the desk: opens a step's page, fills its form, sends it."""

from typing import Any

from django.test import Client
from django.urls import reverse

from applications.models import Application

PAGE = "admin:applications_application_change"


def step_url(application: Application, step: str) -> str:
    return reverse(f"admin:applications_application_{step}", args=[application.pk])


def fill(client: Client, application: Application, step: str, **typed: Any) -> dict[str, Any]:
    """The step's form as its page gives it, with something typed and every box ticked."""
    page = client.get(step_url(application, step))
    form = page.context["form"]
    data = {"seen": form["seen"].value(), **{box.html_name: "on" for box in form.boxes()}}
    if rows := getattr(form, "rows", None):
        data |= {field.html_name: field.value() for field in rows.management_form}
    return {name: value for name, value in (data | typed).items() if value is not None}


def take(client: Client, application: Application, step: str, **typed: Any) -> Any:
    """Open the step's page, fill it, send it."""
    return client.post(step_url(application, step), fill(client, application, step, **typed))


def state(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)
