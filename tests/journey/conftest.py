"""People in front of browsers: merchants and staff, with a camera and an ear for what the browser complains of."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response

from tests.journey.camera import Camera


@pytest.fixture
def open_page(new_page: Callable[..., Page]) -> Iterator[Callable[..., Page]]:
    """As `new_page`; in the end no page may have met a server error, a script error or a refusal by the CSP."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # What a server refuses on purpose (a form with errors, a forged log-in) is logged like a failure.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"{message.location.get('url')}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 500:
            complaints.append(f"{response.url}: {response.status}")

    def open_(width: int = 1280) -> Page:
        page = new_page(width)
        context = page.context
        context.on("console", heard)
        context.on("response", answered)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return page

    yield open_
    assert not complaints, complaints


@pytest.fixture
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Camera:
    """Pictures of a test's pages, in $SCREENSHOTS or beside the test's other files."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path / "screenshots")) / request.node.name
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(folder)
