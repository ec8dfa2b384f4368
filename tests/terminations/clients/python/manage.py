"""A Django project in one file: `manage.py migrate` before the shop starts."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

if os.environ["FAULT"] == "missing-setting":
    secret = ""
else:
    secret = "not-a-secret"
settings.configure(
    SECRET_KEY=secret,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "USER": "shop",
            "HOST": os.environ["HOST"], "PORT": os.environ["PORT"], "OPTIONS": {"connect_timeout": 3},
        }
    },
)  # fmt: skip
print("Running database migrations ..." if "migrate" in sys.argv else "Checking the shop ...", flush=True)
execute_from_command_line(sys.argv)
