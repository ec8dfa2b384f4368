"""The stock importer, in layers: `layers.py STORE`."""

import asyncio
import locale
import logging
import os
import socket
import sys
import time

HOST, PORT = os.environ["HOST"], int(os.environ["PORT"])
logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s", stream=sys.stdout)
log = logging.getLogger("importer")


class StoreError(Exception):
    """The store did not give what was asked."""


def ping():
    with socket.create_connection((HOST, PORT), timeout=2) as store:
        store.sendall(b"PING\r\n")
        if not store.recv(512):
            raise EOFError(f"{HOST}:{PORT} hung up in the middle of the greeting")


def deep():
    try:
        try:
            ping()
        except (OSError, EOFError) as e:
            raise StoreError(f"stock table of {HOST}") from e
    except StoreError:
        raise RuntimeError("importer cannot start")


def retried():
    for wait in (0.1, 0.3, 0):
        try:
            return ping()
        except (OSError, EOFError) as e:
            log.warning("store at %s:%d not usable (%s), next try in %.1f s", HOST, PORT, e, wait)
            last = e
            time.sleep(wait)
    raise RuntimeError("store not usable after 3 tries") from last


def german():
    locale.setlocale(locale.LC_ALL, "")
    try:
        ping()
    except (OSError, EOFError) as e:
        log.error("Lagerbestand nicht geladen: %s", e)
        sys.exit(1)


def group():
    async def one(table):
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection(HOST, PORT)
            writer.write(table)
            await reader.readexactly(8)

    async def every():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(one(b"stock\r\n"))

    asyncio.run(every())


def pool():
    import psycopg_pool

    url = f"host={HOST} port={PORT} dbname=stock user=app connect_timeout=2"
    with psycopg_pool.ConnectionPool(url, min_size=1, open=False, reconnect_timeout=3) as connections:
        connections.wait(timeout=5)


def confluent():
    from confluent_kafka.admin import AdminClient

    AdminClient({"bootstrap.servers": f"{HOST}:{PORT}", "client.id": "importer"}).list_topics(timeout=4)


log.info("stock importer 11.3 (python %s)", sys.version.split()[0])
log.info("nightly import of 3 tables")
globals()[sys.argv[1]]()
