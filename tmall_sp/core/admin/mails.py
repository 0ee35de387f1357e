"""Mails, to be read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from tmall_sp.core.models import Mail, MailState
from tmall_sp.core.read_only_admin import ReadOnlyAdmin


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """A mail that is no notice carries a code that proves an address: its text is nobody's to read."""

    list_display = ["to", "subject", "state_label", "attempts", "due_at", "sent_at"]
    list_filter = ["state"]
    search_fields = ["to", "subject"]
    ordering = ["-pk"]
    fields = ["to", "subject", "text", "state", "attempts", "due_at", "sent_at", "error", "maybe_twice"]
    readonly_fields = ["text"]

    @display(
        description=_("state"),
        ordering="state",
        label={
            MailState.QUEUED: "info",
            MailState.SENDING: "info",
            MailState.SENT: "success",
            MailState.FAILED: "danger",
        },
    )
    def state_label(self, mail: Mail) -> tuple[str, str]:
        return mail.state, mail.get_state_display()

    @admin.display(description=_("text"))
    def text(self, mail: Mail) -> str:
        return mail.body if mail.notice_id else str(_("not shown"))
