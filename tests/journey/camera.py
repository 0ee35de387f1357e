"""Pictures of pages as a desktop and as a phone shows them, and whether a phone has to scroll sideways."""

from pathlib import Path

from playwright.sync_api import Page

PHONE = 390
OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter(element => element.getBoundingClientRect().right > width + 1)
        .map(element => element.outerHTML.slice(0, 120));
}"""


class Camera:
    """Numbers its pictures, and keeps them in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken = 0

    def take(self, page: Page, name: str) -> None:
        """The page as it stands, and again in a window as narrow as a phone, which it has to fit."""
        self._taken += 1
        stem = f"{self._taken:02d}-{name}"
        page.screenshot(path=self.folder / f"{stem}.png", full_page=True)
        desktop = page.viewport_size
        assert desktop is not None
        page.set_viewport_size({"width": PHONE, "height": desktop["height"]})
        page.screenshot(path=self.folder / f"{stem}-phone.png", full_page=True)
        assert_fits(page)
        page.set_viewport_size(desktop)


def assert_fits(page: Page) -> None:
    """Nothing stands out of the window to the right."""
    wide = page.evaluate(OVERFLOW)
    assert wide == [], f"{page.url} is wider than its window: {wide}"
