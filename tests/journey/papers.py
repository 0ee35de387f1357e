"""The company that makes the journey, and the files that it hands in."""

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from tmall_sp.demo.companies import credit_code


@dataclass(frozen=True)
class Seller:
    """A Taobao account of the sandbox's demo, and the company behind it."""

    taobao_user_id: int
    nick: str
    company: str
    credit_code: str
    alipay_account_id: str
    email: str


YUNQI = Seller(
    taobao_user_id=2200606100001,
    nick="杭州云栖电商服务",
    company="杭州云栖电商服务有限公司",
    credit_code=credit_code("330106", 606101),
    alipay_account_id="2088101000000101",
    email="service@yunqi-ec.example.com",
)
TOO_YOUNG = 2200606100004
STRANGERS_ALIPAY = "2088101000000199"


def _scan(seller: Seller) -> Image.Image:
    picture = Image.new("RGB", (900, 640), "#fbf6e9")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((24, 24, 876, 616), outline="#b8860b", width=6)
    pen.text((80, 90), "BUSINESS LICENCE", fill="#222222", font_size=40)
    pen.text((80, 200), seller.credit_code, fill="#222222", font_size=34)
    return picture


def _saved(seller: Seller, kind: str) -> bytes:
    out = io.BytesIO()
    _scan(seller).save(out, format=kind)
    return out.getvalue()


def licence_png(seller: Seller) -> bytes:
    return _saved(seller, "PNG")


def letter_pdf(seller: Seller) -> bytes:
    return _saved(seller, "PDF")
