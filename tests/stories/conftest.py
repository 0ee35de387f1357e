"""The stories are told with the deposit's own people and sandbox."""

from tests.deposits.conftest import active, alipay, pay

__all__ = ["active", "alipay", "pay"]
