"""A merchant's browser without a screen: real requests, forms sent as they stand, every answer timed."""

import time
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.stack import Stack
from tmall_sp.demo.companies import DemoCompany


@dataclass(frozen=True)
class Answer:
    """One request to the portal, as the person felt it."""

    method: str
    path: str
    status: int
    seconds: float


class Browser:
    """One merchant at the portal. `answers` has every request of it, the failed ones included."""

    def __init__(self, stack: Stack, company: DemoCompany) -> None:
        self.company = company
        self.answers: list[Answer] = []
        self._stack = stack
        self._http = httpx.Client(base_url=stack.url, timeout=60, trust_env=False)

    def log_in(self) -> None:
        """From the log-in page to Taobao and back to the console."""
        away = self.send("/login/", form="/accounts/taobao/login/")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
        code = self._stack.sandbox.authorize(self.company.taobao_user_id, asked["redirect_uri"])
        back = urlsplit(asked["redirect_uri"]).path
        answer = self._request("GET", back, params={"code": code, "state": asked["state"]})
        assert answer.headers["location"] == "/console/", answer.headers

    def read(self, path: str) -> str:
        """The page at that address of the portal."""
        answer = self._request("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def send(self, page: str, *, form: str = "", files: dict[str, Any] | None = None, **values: Any) -> str:
        """Fill in the page's form (the one with action `form`) and send it; where the portal sends one then.

        What is not among `values` is sent as it stands on the page, the CSRF token with it.
        """
        fields = _forms(self.read(page))[form]
        answer = self._request("POST", form or page, data=fields | values, files=files)
        assert answer.status_code == 302, f"{page}: {answer.status_code} {_problems(answer.text)}"
        return answer.headers["location"]

    def mails(self) -> list[dict[str, Any]]:
        """What has come to the company's contact address."""
        return self._stack.sandbox.mails(to=self.company.data["contact_email"])

    def close(self) -> None:
        self._http.close()

    def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        began = time.monotonic()
        answer = self._http.request(method, path, **content)
        self.answers.append(Answer(method, path, answer.status_code, time.monotonic() - began))
        return answer


class _Forms(HTMLParser):
    """The forms of a page by their action (empty: the page itself), each with what it would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, Any]] = {}
        self._form: dict[str, Any] | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "form":
            self._form = self.forms.setdefault(given.get("action") or "", {})
        elif self._form is None or "disabled" in given:
            return
        elif tag == "input" and name:
            self._input(name, given)
        elif tag == "textarea":
            self._area = name
            self._form[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._form[self._select] = given.get("value") or ""

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        assert self._form is not None
        kind, value = given.get("type") or "text", given.get("value") or ""
        if kind in {"checkbox", "radio"}:
            if "checked" in given:
                self._form.setdefault(name, []).append(value or "on")
        elif kind not in {"file", "submit"}:
            self._form[name] = value

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area:
            self._form[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""


def _forms(page: str) -> dict[str, dict[str, Any]]:
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def _problems(page: str) -> str:
    """What a refused form says, for the message of a failed test."""
    start = page.find("alert")
    return page[start : start + 600]
