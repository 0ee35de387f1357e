"""The procedure by which a company binds another Alipay account."""
