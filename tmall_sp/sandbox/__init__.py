"""An independent stand-in for Taobao Open Platform and Alipay, for the demo and the tests.

It runs as its own process with its own settings and its own books, imports nothing of the portal, and
is imported by nothing of it. A1, B4 and the like in the docstrings are sections of the protocol facts.
"""
