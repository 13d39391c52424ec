"""What the benchmarks' web server serves: the platform, and beside it a view that does nothing (`served_urls`)."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from cdp_site.operations import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp_site.settings")

application = get_wsgi_application()
settings.ROOT_URLCONF = "cdp_site.operations.bench.served_urls"
garbage.leave_out_program()
