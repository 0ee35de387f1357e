"""Every address of the sandbox."""

from django.urls import path

from . import alipay_gateway, authenticator, bills, cashier, control, mailbox, oauth, pages, top

urlpatterns = [
    path("", pages.index),
    path("people/", pages.people),
    path("books/", pages.ledger),
    path("authorize", oauth.authorize),
    path("token", oauth.token),
    path("router/rest", top.gateway),
    path("gateway.do", alipay_gateway.gateway),
    path("cashier/<str:token>/", cashier.cashier),
    path("bills/download", bills.download),
    path("mail/", mailbox.inbox),
    path("mail/<int:number>/", mailbox.mail),
    path("mail/<int:number>/html", mailbox.mail_html),
    path("authenticator/", authenticator.page),
    path("control/health", control.health),
    path("control/faults", control.fault_list),
    path("control/sellers", control.sellers),
    path("control/authorize", control.authorize),
    path("control/expire-session", control.expire_session),
    path("control/alipay-accounts", control.alipay_accounts),
    path("control/pay", control.pay),
    path("control/notify", control.notify),
    path("control/notifications", control.notification_list),
    path("control/trades", control.trades),
    path("control/refunds", control.refunds),
    path("control/transfers", control.transfers),
    path("control/books", control.whole_books),
    path("control/load", control.load),
    path("control/settings", control.settings_),
    path("control/mail", control.mail),
    path("control/totp/<str:login>", control.totp),
    path("control/reset", control.reset),
]
