"""What a merchant types about its company."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Province(models.TextChoices):
    """First-level regions, by the first two digits of GB/T 2260."""

    P11 = "11", "北京市"
    P12 = "12", "天津市"
    P13 = "13", "河北省"
    P14 = "14", "山西省"
    P15 = "15", "内蒙古自治区"
    P21 = "21", "辽宁省"
    P22 = "22", "吉林省"
    P23 = "23", "黑龙江省"
    P31 = "31", "上海市"
    P32 = "32", "江苏省"
    P33 = "33", "浙江省"
    P34 = "34", "安徽省"
    P35 = "35", "福建省"
    P36 = "36", "江西省"
    P37 = "37", "山东省"
    P41 = "41", "河南省"
    P42 = "42", "湖北省"
    P43 = "43", "湖南省"
    P44 = "44", "广东省"
    P45 = "45", "广西壮族自治区"
    P46 = "46", "海南省"
    P50 = "50", "重庆市"
    P51 = "51", "四川省"
    P52 = "52", "贵州省"
    P53 = "53", "云南省"
    P54 = "54", "西藏自治区"
    P61 = "61", "陕西省"
    P62 = "62", "甘肃省"
    P63 = "63", "青海省"
    P64 = "64", "宁夏回族自治区"
    P65 = "65", "新疆维吾尔自治区"


class CompanyData(models.Model):
    """What the merchant types. Blank while the application is a draft; `services.missing_data` names gaps."""

    company_name = models.CharField(_("company name"), max_length=120, blank=True)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    licence_valid_until = models.DateField(_("licence valid until"), null=True, blank=True)
    licence_permanent = models.BooleanField(_("licence without expiry"), default=False)
    legal_representative = models.CharField(_("legal representative"), max_length=60, blank=True)
    region = models.CharField(_("region"), max_length=2, choices=Province, blank=True)
    address = models.CharField(_("registered address"), max_length=200, blank=True)
    contact_name = models.CharField(_("contact name"), max_length=60, blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=20, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    contact_email_verified_at = models.DateTimeField(_("e-mail verified"), null=True, blank=True)
    onboarding_link = models.URLField(_("onboarding link"), max_length=300, blank=True)
    service_scope = models.CharField(_("service scope"), max_length=300, blank=True)
    alipay_account_id = models.CharField(_("enterprise Alipay account (2088 id)"), max_length=16, blank=True)

    class Meta:
        abstract = True
