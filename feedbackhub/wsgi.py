"""The WSGI entry the web server loads."""

import os
import signal

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from feedbackhub.leash import follow_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")
application = get_wsgi_application()
# Every page's code is loaded before the first probe is answered: ready means quick, too.
get_resolver().url_patterns  # noqa: B018
# A web worker whose master was killed would go on serving beside the ones that replace it.
follow_parent(signal.SIGTERM)
