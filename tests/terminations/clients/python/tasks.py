"""Celery app of the invoice worker."""

import os

from celery import Celery

scheme = os.environ.get("BROKER", "redis")
app = Celery("invoices", broker=f"{scheme}://{os.environ['HOST']}:{os.environ['PORT']}//")
app.conf.broker_connection_timeout = 2
app.conf.broker_connection_retry_on_startup = os.environ.get("PATIENT") == "1"
app.conf.broker_connection_max_retries = 1
app.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
