"""Chromium for the browser tests: whether it is there, and how it is started."""

import functools
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FONTS = "/usr/share/fonts"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Chromium on PATH."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@functools.cache
def missing() -> str | None:
    """Why browser tests can't run here; None when they can."""
    if executable() is None:
        return f"no Chromium on PATH ({', '.join(NAMES)}); on Debian: apt-get install chromium fonts-noto-cjk"
    if not _has_chinese_font():
        return "no Chinese font; on Debian: apt-get install fonts-noto-cjk"
    return None


def _has_chinese_font() -> bool:
    if shutil.which("fc-list"):
        listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True)
        return bool(listed.stdout.strip())
    return any(Path(FONTS).rglob("NotoSansCJK*"))
