"""The preference centre: a page of their own, where customers say what their data may be used for, without a login."""
