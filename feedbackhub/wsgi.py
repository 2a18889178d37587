"""The WSGI entry the web server loads."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from feedbackhub.leash import follow_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")
application = get_wsgi_application()
# A web worker whose master was killed would go on serving beside the ones that replace it.
follow_parent(signal.SIGTERM)
