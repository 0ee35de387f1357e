"""An independent stand-in for Taobao Open Platform and Alipay, for the demo and the tests.

It runs as its own process with its own settings and its own books, imports nothing of the portal, and
is imported by nothing of it. What it speaks on the wire is written down in the protocol facts (sections A and B).
"""
