"""The demo's believable companies, made by the same services as in life. Not installed in production."""
