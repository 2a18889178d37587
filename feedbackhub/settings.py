"""Django settings, derived from the typed environment alone."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF

from feedbackhub.environment import read_environment

ENV = read_environment()
BASE_DIR = Path(__file__).resolve().parent.parent
HOME = ENV.home
ARTIFACTS_DIR = HOME / "artifacts"

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
SUBJECT_HASH_KEY = ENV.subject_hash_key
ALLOWED_HOSTS = ENV.hosts
CSRF_TRUSTED_ORIGINS = ENV.origins

INSTALLED_APPS = [
    "feedbackhub.apps.HubConfig",
    "feedbackhub.core.apps.CoreConfig",
    "curation.apps.CurationConfig",
    "training.apps.TrainingConfig",
    "rollout.apps.RolloutConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "csp",
]

MIDDLEWARE = [
    "feedbackhub.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "curation.intake.cors.CorsMiddleware",
    "feedbackhub.lane.ApiLaneMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "feedbackhub.nul.RefuseNulMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "feedbackhub.policies.AdminPolicyMiddleware",
]

ROOT_URLCONF = "feedbackhub.urls"
WSGI_APPLICATION = "feedbackhub.wsgi.application"
AUTH_USER_MODEL = "core.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "home"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "feedbackhub.navigation.shell",
            ],
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": {
        **dj_database_url.parse(
            ENV.database_url,
            engine="feedbackhub.core.postgres",
            conn_max_age=600,
            conn_health_checks=True,
        ),
        "ATOMIC_REQUESTS": False,
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENV.redis_url,
        "KEY_PREFIX": "hub",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(ENV.static_root) if ENV.static_root else HOME / "static"
# Charts are drawn by the script in Plotly's own wheel: nothing is fetched, nothing is copied here.
PLOTLY_DIR = Path(str(find_spec("plotly").origin)).parent / "package_data"  # type: ignore[union-attr] # it is pinned
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", PLOTLY_DIR)]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Collected files (an image of a production hub) win; else they come from where they are kept.
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "admin").is_dir()

# Security. HTTPS is said by the operator: a hub on a laptop has none, a hub behind a proxy must.
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENV.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENV.https

# The strict policy is the default; pages that need more (the admin shell, charts, API docs) relax
# it for themselves with csp.decorators.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    },
}

# A larger request body is refused with 413 before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
THROTTLE_PER_SECOND = ENV.throttle_per_second
TRUSTED_PROXIES = ENV.proxies

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "feedbackhub.core.problems.problem_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "feedbackhub",
    "DESCRIPTION": "Post predictions and feedback, review samples, retrain, and roll out.",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "feedbackhub.core.openapi.add_components",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = ENV.redis_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "ticks"
# Long work has a queue and a worker of its own, so that ticks never wait behind it.
CELERY_TASK_ROUTES = {
    "training.tasks.execute": {"queue": "training"},
    "training.tasks.evaluate": {"queue": "training"},
    "training.tasks.appraise": {"queue": "training"},
    "training.tasks.find_label_errors": {"queue": "training"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_TIMEZONE = "UTC"

UNFOLD = {
    "SITE_TITLE": "feedbackhub",
    "SITE_HEADER": "feedbackhub",
    "SITE_SYMBOL": "all_inclusive",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "feedbackhub.sign_in.SignInForm"},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "feedbackhub.navigation.sidebar",
    },
    # Indigo, the accent of static/hub/hub.css (its --accent is 700 in light, about 300 in dark).
    "COLORS": {
        "primary": {
            "50": "#eef0ff",
            "100": "#e0e4ff",
            "200": "#c8ceff",
            "300": "#a9b5ff",
            "400": "#8490fb",
            "500": "#6668f0",
            "600": "#4f46e5",
            "700": "#4338ca",
            "800": "#3730a3",
            "900": "#312e81",
            "950": "#1e1b4b",
        },
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENV.log_level},
    "loggers": {"django.request": {"level": "ERROR"}},
}
