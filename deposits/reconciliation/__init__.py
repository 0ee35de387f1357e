"""Every day's bills of Alipay against our rows."""
