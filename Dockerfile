# The hub's web server, workers and beat; Postgres and Redis are other containers.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 \
    DJANGO_SETTINGS_MODULE=feedbackhub.settings \
    HOST=0.0.0.0 PORT=8000 FEEDBACKHUB_HOME=/var/lib/feedbackhub STATIC_ROOT=/srv/static

RUN useradd --system --create-home --home-dir /var/lib/feedbackhub feedbackhub \
    && mkdir -p /srv/static && chown feedbackhub /srv/static

WORKDIR /srv/feedbackhub
COPY requirements.txt .
RUN pip install --disable-pip-version-check -r requirements.txt
COPY . .

USER feedbackhub
# Static files need no secret and no server; these values live in this one command only.
RUN DATABASE_URL=postgresql://build REDIS_URL=redis://build \
    SECRET_KEY=only-to-collect-static-files-at-build-time \
    SUBJECT_HASH_KEY=only-to-collect-static-files-at-build-time \
    python manage.py collectstatic --noinput --verbosity 0

EXPOSE 8000
VOLUME /var/lib/feedbackhub
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz')"
CMD ["python", "-m", "feedbackhub.serve", "web"]
