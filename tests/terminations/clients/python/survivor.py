"""An order service that can do without its rates, but not without its own bugs: `survivor.py BUG`."""

import json
import logging
import os
import sys
import urllib.request

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(message)s")
log = logging.getLogger()


def divide():
    shipped = []
    return sum(shipped) / len(shipped)


def missing_key():
    event = json.loads('{"type": "order.created", "order": {"id": 9}}')
    return event["customer"]["id"]


def invalid():
    import pydantic

    class Order(pydantic.BaseModel):
        total: int
        host: str

    return Order.model_validate({"total": "12,50", "host": None})


log.info("orders 3.0.7 starting")
try:
    urllib.request.urlopen(os.environ["URL"], timeout=2)
except Exception as e:
    if sys.argv[1] == "divide":
        log.warning("currency rates not fetched, going on with yesterday's", exc_info=True)
    else:
        log.warning("currency rates not fetched (%s), going on with yesterday's", e)
log.info("consuming from orders.v2, 4 workers")
log.info("batch 1: 120 orders in 95 ms")
{"divide": divide, "missing_key": missing_key, "invalid": invalid}[sys.argv[1]]()
