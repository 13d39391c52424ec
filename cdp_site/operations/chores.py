"""Small housekeeping of the frame itself; the apps bring their own chores."""

from importlib import import_module

from django.conf import settings

from cdp_site.core.login import devices, limits


def clear_expired_sessions() -> None:
    """Delete sessions that have run out (Django only stops accepting them), and what old logins left behind."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    limits.forget_old()
    devices.forget_old()
