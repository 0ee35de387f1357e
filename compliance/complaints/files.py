"""Evidence of a complaint: pictures and PDFs of either side."""

from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from applications.uploads import CheckedFile, check_file
from compliance.models import Complaint, ComplaintFile, Side
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

# Judged by `checked`.
Uploads = Sequence[CheckedFile]

MAX_FILES_PER_SIDE = 20


def checked(uploads: Sequence[UploadedFile]) -> list[CheckedFile]:
    """Judge files by their content, before any lock is taken. DomainError on field `files`."""
    try:
        return [check_file(upload) for upload in uploads]
    except DomainError as error:
        raise DomainError(error.code, error.message, field="files") from error


def add(complaint: Complaint, files: Uploads, *, side: Side, actor: User) -> None:
    """Keep them with the case. DomainError on field `files` when a side has too many. Hold the lock."""
    if not files:
        return
    if complaint.files.filter(side=side).count() + len(files) > MAX_FILES_PER_SIDE:
        raise DomainError(
            "too_many_files",
            _("At most %(count)s files for each side.") % {"count": MAX_FILES_PER_SIDE},
            field="files",
        )
    for file in files:
        row = ComplaintFile(
            complaint=complaint,
            side=side,
            original_name=file.name,
            content_type=file.content_type,
            size=len(file.content),
            sha256=file.sha256,
            uploaded_by=actor,
            uploaded_at=clock.now(),
        )
        name, content = file.to_store()
        row.file.save(name, content, save=False)
        row.save(force_insert=True)
