"""A Django project in one file: `manage.py migrate` before the shop starts."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

database = {
    "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "USER": "shop",
    "HOST": os.environ["HOST"], "PORT": os.environ["PORT"], "OPTIONS": {"connect_timeout": 3},
}  # fmt: skip
if os.environ["FAULT"] == "missing-setting":
    del database["ENGINE"]
settings.configure(
    SECRET_KEY="not-a-secret",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": database},
)
print("Running database migrations ...", flush=True)
execute_from_command_line(sys.argv)
