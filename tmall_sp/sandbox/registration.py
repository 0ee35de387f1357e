"""Registering a Taobao account on the authorize page."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, time
from typing import Any

from django import forms
from django.db import transaction

from . import clock
from .models import TaobaoUser

STATUSES = [(s, s) for s in ("normal", "inactive", "delete", "reeze", "supervise")]
LEGACY = [("full", "完整"), ("bare", "没有开店日期与评分"), ("refused", "拒绝（无权限）")]
SUB_NICK = re.compile(r"[^:]+:[^:]+")


class RegistrationForm(forms.Form):
    """A new account with what Taobao would tell of its shop."""

    nick = forms.CharField(
        label="淘宝会员名", min_length=2, max_length=25, help_text="子账号写作 主账号:子账号"
    )
    shop_type = forms.ChoiceField(label="店铺类型", choices=[("B", "天猫店铺(B)"), ("C", "集市店铺(C)")])
    has_shop = forms.BooleanField(label="已开店", required=False, initial=True)
    shop_title = forms.CharField(label="店铺名称", required=False, max_length=48)
    opened_on = forms.DateField(
        label="开店日期", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    status = forms.ChoiceField(label="账号状态", choices=STATUSES)
    promoted_type = forms.ChoiceField(
        label="实名认证", choices=[("authentication", "已认证"), ("not authentication", "未认证")]
    )
    alipay_bind = forms.ChoiceField(label="支付宝绑定", choices=[("bind", "已绑定"), ("notbind", "未绑定")])
    level = forms.IntegerField(label="信用等级(1–20)", min_value=0, max_value=20, initial=12)
    item_score = forms.DecimalField(
        label="描述相符", min_value=0, max_value=5, decimal_places=1, initial="4.9"
    )
    service_score = forms.DecimalField(
        label="服务态度", min_value=0, max_value=5, decimal_places=1, initial="4.8"
    )
    delivery_score = forms.DecimalField(
        label="物流服务", min_value=0, max_value=5, decimal_places=1, initial="4.8"
    )
    legacy = forms.ChoiceField(label="旧版店铺接口", choices=LEGACY)

    def clean_nick(self) -> str:
        nick: str = self.cleaned_data["nick"].strip()
        if TaobaoUser.objects.filter(nick=nick).exists():
            raise forms.ValidationError("该会员名已被注册")
        if ":" in nick:
            main = nick.partition(":")[0]
            if not SUB_NICK.fullmatch(nick) or not TaobaoUser.objects.filter(nick=main, main=None).exists():
                raise forms.ValidationError("子账号写作 主账号:子账号，且主账号须已存在")
        return nick

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opened = cleaned.get("opened_on")
        if cleaned.get("has_shop") and not opened and not self.errors:
            self.add_error("opened_on", "已开店的账号须填写开店日期")
        if opened and opened > clock.now().astimezone(clock.BEIJING).date():
            self.add_error("opened_on", "开店日期不能晚于今天")
        return cleaned


def register(values: dict[str, Any]) -> TaobaoUser:
    """Store a valid form's account under a new numeric id."""
    nick = values["nick"]
    with transaction.atomic():
        main = TaobaoUser.objects.get(nick=nick.partition(":")[0]) if ":" in nick else None
        number = new_user_id()
        opened = values["opened_on"]
        return TaobaoUser.objects.create(
            taobao_user_id=number,
            nick=nick,
            main=main,
            shop_type=values["shop_type"],
            has_shop=values["has_shop"],
            sid=number % 1_000_000_000,
            shop_title=values["shop_title"] or f"{nick}的店铺",
            opened_at=datetime.combine(opened, time(10), clock.BEIJING) if opened else None,
            status=values["status"],
            promoted_type=values["promoted_type"],
            alipay_bind=values["alipay_bind"],
            level=values["level"],
            item_score=str(values["item_score"]),
            service_score=str(values["service_score"]),
            delivery_score=str(values["delivery_score"]),
            legacy=values["legacy"],
            note="新注册",
        )


def new_user_id() -> int:
    """A numeric id that no account has."""
    while True:
        number = 2_210_000_000_000 + secrets.randbelow(9_000_000_000)
        if not TaobaoUser.objects.filter(pk=number).exists():
            return number
