"""How far a company has come when a fault strikes. Runs inside the stack: see stage.py."""

import datetime as dt
import json
from collections.abc import Callable

from applications import drafts, services
from applications.models import Application
from tmall_sp.core import clock
from tmall_sp.demo import sandbox, stories
from tmall_sp.demo.companies import company


def tell(scene: Callable[[int], Application | None], companies: list[int]) -> None:
    """Play it for each company; prints the numbers of their applications."""
    print(json.dumps([application and application.number for application in map(scene, companies)]))


def registered(number: int) -> None:
    """A Taobao seller and an Alipay account; the portal has never heard of it."""
    sandbox.open_accounts(company(number), opened=clock.today() - dt.timedelta(days=900))


def begun(number: int) -> Application:
    """Just opened: its shop check is queued, and a worker has been told."""
    registered(number)
    return drafts.create_application(sandbox.log_in(company(number)), categories=["after_sales"])


def known(number: int) -> Application:
    """Its shop is verified, but nothing is typed yet."""
    return stories.begin(company(number))


def ready(number: int) -> Application:
    """Everything is there to be handed in."""
    application = known(number)
    stories.fill_in(application, company(number))
    return application


def approved(number: int) -> Application:
    application = ready(number)
    stories.hand_in(application)
    stories.approve(application)
    return application


def active(number: int) -> Application:
    application = approved(number)
    stories.pay_deposit(application, company(number))
    return application


def leaving(number: int) -> Application:
    """A member that has asked to leave."""
    application = active(number)
    return services.request_exit(application.pk, actor=application.applicant)


def left(number: int) -> Application:
    """One that has asked is let go: its refund is queued, and a worker has been told."""
    application = Application.objects.get(taobao_user_id=company(number).taobao_user_id)
    return services.complete_exit(application.pk)
