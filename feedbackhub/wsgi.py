"""The WSGI entry the web server loads."""

import gc
import multiprocessing
import os
import signal
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from feedbackhub.leash import follow_parent

# A web worker whose master was killed would go on serving beside the ones that replace it. Asked
# before the slow imports, and the parent looked for after: it may have died meanwhile. SIGKILL,
# because a worker that has just begun to listen for SIGTERM may swallow it.
follow_parent(signal.SIGKILL)
_master = multiprocessing.parent_process()
if _master is not None and os.getppid() != _master.pid:
    sys.exit("The web server's master is gone.")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")
application = get_wsgi_application()
# Every page's code is loaded before the first probe is answered: ready means quick, too.
get_resolver().url_patterns  # noqa: B018
# What is loaded stays: the collector need not walk it again and again, nor look after every few
# hundred objects of a batch. Cycles of requests are still found.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
