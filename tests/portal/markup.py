"""A response read as a page: its fields and labels, and what a strict policy or a screen reader would miss."""

from html.parser import HTMLParser
from typing import Any

_FIELDS = {"input", "select", "textarea"}


class Markup(HTMLParser):
    """`text` is what stands on the page; `problems()` names what is wrong with its markup."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response
        self.status: int = response.status_code
        self.location: str = response.headers.get("Location", "")
        self.html = "" if response.streaming else response.content.decode()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self._open_labels = 0
        self._labelled_by_nesting: set[int] = set()
        self._values: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(self.html)
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "label":
            self._open_labels += 1
        if self._open_labels and tag in _FIELDS:
            self._labelled_by_nesting.add(len(self.elements))
        self.elements.append((tag, attributes))
        self._read_value(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._open_labels -= 1
        if tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._textarea:
            self._values[self._textarea] += data.removeprefix("\n")

    def _read_value(self, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        is_off = attributes.get("type") in ("checkbox", "radio") and "checked" not in attributes
        match tag:
            case "input" if not is_off:
                self._values[name] = attributes.get("value", "")
            case "textarea":
                self._textarea, self._values[name] = name, ""
            case "select":
                self._select, self._values[name] = name, ""
            case "option" if "selected" in attributes:
                self._values[self._select] = attributes.get("value", "")

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        return [link["href"] for link in self.all("a") if "href" in link]

    def form_values(self) -> dict[str, str]:
        """What the fields of the page hold, by name (the last of a name wins)."""
        return dict(self._values)

    def error_of(self, field_id: str) -> str:
        """The message beside one field, as its aria-describedby names it."""
        field = next(a for _tag, a in self.elements if a.get("id") == field_id)
        described = field.get("aria-describedby", "").split()
        assert field.get("aria-invalid") == "true", f"{field_id} is not marked as wrong"
        parts = [self._text_of(name) for name in described if "error" in name]
        return " ".join(parts)

    def _text_of(self, element_id: str) -> str:
        start = self.html.index(f'id="{element_id}"')
        return _Text.of(self.html[self.html.index(">", start) + 1 : self.html.index("</", start)])

    def problems(self) -> list[str]:
        """Inline code or style, addresses elsewhere, fields without a label, ids twice or nowhere, h1 not once."""
        return [*self._inline(), *self._elsewhere(), *self._unlabelled(), *self._ids(), *self._headings()]

    def _inline(self) -> list[str]:
        found = []
        for tag, attributes in self.elements:
            if tag == "style" or (tag == "script" and "src" not in attributes):
                found.append(f"inline <{tag}>")
            found += [f"{name} on <{tag}>" for name in attributes if name == "style" or name.startswith("on")]
            if attributes.get("href", "").startswith("javascript:"):
                found.append("javascript: address")
        return found

    def _elsewhere(self) -> list[str]:
        return [
            f"<{tag}> loads {address}"
            for tag, attributes in self.elements
            for name in ("src", "href")
            if tag in ("script", "link", "img", "iframe")
            and (address := attributes.get(name, "")).startswith(("http:", "https:", "//"))
        ]

    def _unlabelled(self) -> list[str]:
        named = {label.get("for") for label in self.all("label")}
        return [
            f"<{tag} name={attributes.get('name')}> has no label"
            for index, (tag, attributes) in enumerate(self.elements)
            if tag in _FIELDS
            and attributes.get("type") not in ("hidden", "submit")
            and index not in self._labelled_by_nesting
            and attributes.get("id") not in named
            and "aria-label" not in attributes
        ]

    def _ids(self) -> list[str]:
        ids = [attributes["id"] for _tag, attributes in self.elements if "id" in attributes]
        twice = [f"id {name} twice" for name in set(ids) if ids.count(name) > 1]
        nowhere = [
            f"{attribute} names {name}, which is not there"
            for _tag, attributes in self.elements
            for attribute in ("aria-describedby", "aria-labelledby", "aria-controls", "for")
            for name in attributes.get(attribute, "").split()
            if name not in ids
        ]
        return twice + nowhere

    def _headings(self) -> list[str]:
        count = len(self.all("h1"))
        return [] if count == 1 else [f"{count} h1"]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        return " ".join("".join(parser.words).split())
