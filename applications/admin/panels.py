"""What higher apps show on an application's page: deposit, exit, violations.

They register here, because this app may not import them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise

from applications.models import Application


@dataclass(frozen=True)
class Panel:
    """A titled table of name and value, with an optional link to the page that says more."""

    title: str | Promise
    rows: Sequence[tuple[str | Promise, object]]
    url: str = ""


Source = Callable[[HttpRequest, Application], Panel | None]
_sources: list[Source] = []


def application_panel(source: Source) -> Source:
    """Decorator: `source(request, application)` gives a panel, or None where there is nothing to show.

    The source asks for the person's permission itself.
    """
    _sources.append(source)
    return source


def panels(request: HttpRequest, application: Application) -> Iterator[Panel]:
    for source in _sources:
        if panel := source(request, application):
            yield panel
