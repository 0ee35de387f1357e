"""Makes tmall_sp/static/vendor from the npm packages of package-lock.json: `python -m tmall_sp.vendor.refresh`.

Needs npm; the portal itself does not. To move to a new version, change package.json, run
`npm install --package-lock-only` beside it, then this. SHA256SUMS says what was made; a test compares.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "static" / "vendor"
SUMS = HERE / "SHA256SUMS"

FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "bootstrap/dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
    "bootstrap/LICENSE": "bootstrap.LICENSE.txt",
    "bootstrap-icons/LICENSE": "icons.LICENSE.txt",
}
ICONS = (
    "arrow-repeat",
    "award",
    "bell",
    "box-arrow-in-right",
    "box-arrow-right",
    "building",
    "calendar-event",
    "chat-left-text",
    "check-circle-fill",
    "check-lg",
    "chevron-right",
    "circle",
    "clipboard-check",
    "clock",
    "cloud-arrow-up",
    "credit-card",
    "dash-circle",
    "exclamation-circle-fill",
    "exclamation-triangle-fill",
    "eye",
    "file-earmark-image",
    "file-earmark-pdf",
    "file-earmark-text",
    "globe2",
    "grid",
    "headset",
    "hourglass-split",
    "info-circle-fill",
    "lock",
    "pencil",
    "person-circle",
    "plus-lg",
    "search",
    "shield-check",
    "shop",
    "star",
    "star-fill",
    "trash",
    "wallet2",
    "x-circle-fill",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
        _refresh(Path(folder) / "node_modules")
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sums().items()))


def sums() -> dict[str, str]:
    """The SHA-256 of each vendored file, as it is now."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(TARGET.iterdir())
        if path.is_file()
    }


def _refresh(modules: Path) -> None:
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for source, name in FILES.items():
        text = (modules / source).read_text()
        # The maps are left out, and a file that names a missing one can't be collected.
        text = re.sub(r"\n?(/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)", "", text)
        (TARGET / name).write_text(text)
    symbols = (_symbol(name, modules / "bootstrap-icons" / "icons" / f"{name}.svg") for name in ICONS)
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "".join(symbols) + "</svg>\n"
    (TARGET / "icons.svg").write_text(sprite)


def _symbol(name: str, path: Path) -> str:
    found = re.fullmatch(r"<svg[^>]*>(.*)</svg>\s*", path.read_text(), flags=re.DOTALL)
    if found is None:
        raise ValueError(f"{path} is not one <svg>")
    return f'<symbol id="{name}" viewBox="0 0 16 16">{" ".join(found[1].split())}</symbol>\n'


if __name__ == "__main__":
    main()
