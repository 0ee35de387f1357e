"""Files that merchants hand in: accepted by content, not by name; images are encoded anew."""

import hashlib
import io
import threading
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from applications import drafts
from applications.models import Document, DocumentKind
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 24_000_000
MAX_FILES = 30
# With those that were replaced or removed, which are kept.
MAX_KEPT = 100
IMAGE_FORMATS = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png"), "WEBP": ("image/webp", "webp")}
# A picture of a few bytes may unfold to a hundred megabytes: one at a time in a process.
_decoding = threading.Lock()


@dataclass(frozen=True)
class CheckedFile:
    """A file that is what it says: a PDF, or a picture that was encoded anew."""

    content: bytes
    content_type: str
    extension: str
    called: str
    """By whoever handed it in."""

    @property
    def name(self) -> str:
        """What is saved from the portal opens as what it is, whatever it was called."""
        return f"{Path(self.called).stem[-180:]}.{self.extension}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def to_store(self) -> tuple[str, ContentFile]:
        """For FieldFile.save: a name that nobody can guess, and the content."""
        return f"{get_random_string(24)}.{self.extension}", ContentFile(self.content)


def check_file(upload: UploadedFile) -> CheckedFile:
    """Judge a file by its content, before any lock is taken: a picture may need time.

    DomainError on field `file` for what is too big, or is neither a picture nor a PDF.
    """
    if (upload.size or 0) > MAX_BYTES:
        raise DomainError("file_too_big", _("The file is larger than 10 MB."), field="file")
    content, name = upload.read(), upload.name or ""
    if content.startswith(b"%PDF-"):
        return CheckedFile(content, "application/pdf", "pdf", name)
    return CheckedFile(*_encoded_anew(content), name)


def add_document(pk: int, *, actor: User, kind: str, upload: UploadedFile) -> Document:
    """Store one file. A second licence replaces the first, whose row and file are kept.

    DomainError as check_file.
    """
    checked = check_file(upload)
    with transaction.atomic():
        application = drafts.lock_for_editing(pk, actor=actor)
        current = application.documents.filter(removed_at__isnull=True)
        if current.count() >= MAX_FILES or application.documents.count() >= MAX_KEPT:
            raise DomainError("too_many_files", _("There are already 30 files."), field="file")
        if kind == DocumentKind.LICENCE:
            current.filter(kind=kind).update(removed_at=clock.now())
        document = Document(
            application=application,
            kind=kind,
            original_name=checked.name,
            content_type=checked.content_type,
            size=len(checked.content),
            sha256=checked.sha256,
            uploaded_by=actor,
            uploaded_at=clock.now(),
        )
        document.file.save(*checked.to_store(), save=False)
        document.save()
        drafts.touch(application)
    return document


def remove_document(pk: int, document_id: int, *, actor: User) -> None:
    """Take a file out of the application; the row stays as history."""
    with transaction.atomic():
        application = drafts.lock_for_editing(pk, actor=actor)
        application.documents.filter(pk=document_id, removed_at__isnull=True).update(removed_at=clock.now())
        drafts.touch(application)


def _encoded_anew(content: bytes) -> tuple[bytes, str, str]:
    """The picture alone, without whatever else the file carried (EXIF with a place, a script)."""
    refusal = DomainError("not_a_picture", _("Hand in a JPEG, PNG or WebP picture, or a PDF."), field="file")
    try:
        with _decoding, Image.open(io.BytesIO(content)) as picture:
            if picture.format not in IMAGE_FORMATS:
                raise refusal
            if picture.width * picture.height > MAX_PIXELS:
                raise DomainError("picture_too_large", _("The picture has too many pixels."), field="file")
            content_type, extension = IMAGE_FORMATS[picture.format]
            upright = ImageOps.exif_transpose(picture)
            upright.info.clear()
            out = io.BytesIO()
            upright.save(out, format=picture.format)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise refusal from error
    return out.getvalue(), content_type, extension
