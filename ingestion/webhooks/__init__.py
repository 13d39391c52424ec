"""Webhooks: other systems report what happens there; verified on the raw body, kept once, answered after the commit."""
