"""What the page of an application says about its deposit."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.admin.panels import Panel, application_panel
from applications.lifecycle import ADMITTED
from applications.models import Application
from deposits.admin.words import cny
from deposits.duties import topups
from deposits.models import Deposit


@application_panel
def deposit_panel(request: HttpRequest, application: Application) -> Panel | None:
    if not request.user.has_perm("deposits.view_deposit"):
        return None
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None:
        return None
    rows: list[tuple[str, object]] = []
    if application.state in ADMITTED:
        rows.append((_("required"), cny(deposit.required)))
    rows.append((_("available"), cny(deposit.available)))
    if deposit.frozen:
        rows.append((_("frozen"), cny(deposit.frozen)))
    if deposit.owed:
        rows.append((_("owed"), cny(deposit.owed)))
    if missing := topups.payable(application, deposit):
        rows.append((_("shortfall"), cny(missing)))
    return Panel(gettext_lazy("Deposit"), rows, reverse("admin:deposits_deposit_change", args=[deposit.pk]))
