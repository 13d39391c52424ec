"""What the benchmarks' web server serves: the platform, and beside it a view that does nothing (`served_urls`)."""

from django.conf import settings

from cdp_site.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "cdp_site.operations.bench.served_urls"
