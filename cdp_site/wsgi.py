"""WSGI entry point: `granian --interface wsgi cdp_site.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp_site.settings")

application = get_wsgi_application()

# The program itself is no garbage: to look through it again and again took a tenth of each answer.
_ = get_resolver().url_patterns  # loads the views
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
