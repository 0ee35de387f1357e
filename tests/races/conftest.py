"""The races run against the sandbox's Alipay, in which the company of the tests has an account."""

from tests.deposits.conftest import alipay, pay

__all__ = ["alipay", "pay"]
