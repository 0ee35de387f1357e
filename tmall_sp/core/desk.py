"""What the staff's first page lists: each app says what waits for the person who looks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise


@dataclass(frozen=True)
class Task:
    """`count` things wait at `url`; `urgent` when one of them is overdue."""

    title: str | Promise
    count: int
    url: str
    urgent: bool = False


Source = Callable[[HttpRequest], Iterable[Task]]
_sources: list[Source] = []


def tasks_from(source: Source) -> Source:
    """Decorator: `source(request)` is asked for tasks whenever somebody opens the desk."""
    _sources.append(source)
    return source


def tasks(request: HttpRequest) -> Iterator[Task]:
    for source in _sources:
        yield from source(request)
