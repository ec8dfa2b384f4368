"""A report job whose trouble is its own: settings, files, disk, memory."""

import http.server
import logging.handlers
import os
import tempfile

print("report job 1.2", flush=True)
fault = os.environ["FAULT"]
if fault == "own-listener":
    http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler)
elif fault == "own-certificate":
    import ssl

    bundle = tempfile.NamedTemporaryFile("w", suffix=".pem")
    print("-----BEGIN CERTIFICATE-----\nMIIBnope\n-----END CERTIFICATE-----", file=bundle, flush=True)
    ssl.create_default_context(cafile=bundle.name)
elif fault == "missing-file":
    import requests

    requests.get("https://swype-gateway/v1/reports", verify="/etc/ssl/shop/ca.pem", timeout=3)
elif fault == "missing-setting":
    import pydantic_settings

    class Settings(pydantic_settings.BaseSettings):
        upstream_host: str
        upstream_timeout: float = 3

    Settings()
elif fault == "denied-file":
    logging.handlers.RotatingFileHandler("/var/log/report.log")
elif fault == "disk-full":
    with open("/dev/full", "w", buffering=1) as out:
        for line in range(1000):
            print(line, "host-a,timeout,30", file=out)
elif fault == "memory":
    rows = ["connection"] * (1 << 27)
    print(len([f"{row}-{n}" for n, row in enumerate(rows)]))
elif fault == "bug":
    print(f"{len({'open': 3}.get('closed'))} connections closed")
