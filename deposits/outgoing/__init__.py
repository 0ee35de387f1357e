"""Money that goes out: refunds, compensation, and each payout at Alipay."""
