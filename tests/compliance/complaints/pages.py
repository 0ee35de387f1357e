"""Browsers before the pages of a complaint, in English, and files to hand in."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from compliance.models import Complaint, QuestionCode
from tests.people import PDF
from tests.portal.conftest import Browser
from tests.portal.markup import Markup


def own_page(complaint: Complaint, action: str = "detail", *more: object) -> str:
    """The complainant's."""
    return reverse(f"complaints:{action}", args=[complaint.number, *more])


def case_page(complaint: Complaint, action: str = "complaint", *more: object) -> str:
    """The provider's."""
    return reverse(f"cases:{action}", args=[complaint.application.number, complaint.number, *more])


def send(browser: Browser, address: str, **typed: Any) -> Markup:
    return browser.post(address, typed)


def picture(name: str = "截图.png") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (4, 3)).save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), content_type="image/png")


def pdf(name: str = "合同.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF, content_type="application/pdf")


def script(name: str = "图.png") -> SimpleUploadedFile:
    """Called a picture, and none."""
    return SimpleUploadedFile(name, b"<script>alert(1)</script>", content_type="image/png")


def typed_claim(**changes: Any) -> dict[str, Any]:
    """A claim as a browser sends it; None leaves a field out."""
    typed = {
        "channel": "online",
        "order_number": "2026112488001",
        "order_value": "1,000",
        "question": str(QuestionCode.objects.get(code="service").pk),
        "text": "约定上门安装,一直没有来。",
        "claimed": "¥300",
        "truthful": "on",
    }
    return {name: value for name, value in (typed | changes).items() if value is not None}
