"""Every URL of the portal, as the resolver knows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, PathConverter

# Stands for an object that doesn't exist, where a test doesn't name a real one.
NOBODY = {"number": "SPAAAAAAAAAA", "step": "company", "app_label": "core", "url": "nowhere/"}


@dataclass(frozen=True)
class Url:
    """`name` as in ACCESS; `parameters` by name, with whether each is a number."""

    name: str
    parameters: tuple[tuple[str, bool], ...]

    @property
    def takes(self) -> set[str]:
        return {parameter for parameter, _is_number in self.parameters}

    def path(self, **values: object) -> str:
        """The address with these values, and with a stranger's or nobody's for the others."""
        kwargs = {
            parameter: values.get(parameter, 987654321 if is_number else NOBODY.get(parameter, "987654321"))
            for parameter, is_number in self.parameters
        }
        return reverse(self.name, kwargs=kwargs)


def every_url() -> list[Url]:
    """All URLs that have a name, each once."""
    return sorted(set(_walk(get_resolver(), "", ())), key=lambda url: url.name)


def unnamed() -> list[str]:
    """View names of the patterns without a name; Django makes them from the view's path."""
    return sorted(set(_unnamed(get_resolver())))


def _walk(resolver: URLResolver, namespace: str, outer: tuple[tuple[str, bool], ...]) -> Iterator[Url]:
    for pattern in resolver.url_patterns:
        parameters = outer + _parameters(pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, inner, parameters)
        elif pattern.name:
            yield Url(f"{namespace}{pattern.name}", parameters)


def _parameters(pattern: URLPattern | URLResolver) -> tuple[tuple[str, bool], ...]:
    converters = getattr(pattern.pattern, "converters", None)
    if converters:
        return tuple(
            (name, isinstance(converter, IntConverter | PathConverter))
            for name, converter in converters.items()
        )
    return tuple((name, False) for name in pattern.pattern.regex.groupindex)


def _unnamed(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _unnamed(pattern)
        elif not pattern.name:
            yield pattern.lookup_str
