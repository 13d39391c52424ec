"""WSGI entry point: `granian --interface wsgi cdp_site.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from cdp_site.operations import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp_site.settings")

application = get_wsgi_application()
garbage.leave_out_program()
