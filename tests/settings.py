"""The hub's settings, made fast where speed changes nothing that is tested."""

from feedbackhub.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files straight from the source folders: nothing is collected for a test.
WHITENOISE_AUTOREFRESH = True

# Tests that commit leave empty tables behind; nowhere else may events be truncated.
DATABASES["default"]["OPTIONS"] = {  # noqa: F405
    **DATABASES["default"].get("OPTIONS", {}),  # noqa: F405
    "options": "-c feedbackhub.allow_truncate=on",
}
