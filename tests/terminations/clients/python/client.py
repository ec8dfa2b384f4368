"""A service that needs one other service to start: `client.py LIBRARY [STYLE]`."""

import asyncio
import json
import logging
import os
import sys

HOST, PORT, URL = os.environ["HOST"], int(os.environ["PORT"]), os.environ["URL"]
CA = os.environ["CA"]


def requests_get():
    import requests

    answer = requests.get(URL, timeout=3, verify=CA)
    answer.raise_for_status()
    return answer.json()


def urllib_get():
    import ssl
    import urllib.request

    with urllib.request.urlopen(URL, timeout=3, context=ssl.create_default_context(cafile=CA)) as answer:
        return json.load(answer)


def http_client():
    import http.client

    connection = http.client.HTTPConnection(HOST, PORT, timeout=3)
    connection.request("GET", "/v1/rates")
    return connection.getresponse().read()


def httpx_get():
    import ssl

    import httpx

    answer = httpx.get(URL, timeout=3, verify=ssl.create_default_context(cafile=CA))
    answer.raise_for_status()
    return answer.json()


def aiohttp_get():
    import ssl

    import aiohttp

    async def get():
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
            async with session.get(URL, ssl=ssl.create_default_context(cafile=CA)) as answer:
                return await answer.json()

    return asyncio.run(get())


def psycopg3():
    import psycopg

    return psycopg.connect(host=HOST, port=PORT, dbname="orders", user="app", connect_timeout=3)


def psycopg_2():
    import psycopg2

    return psycopg2.connect(host=HOST, port=PORT, dbname="orders", user="app", connect_timeout=3)


def asyncpg_connect():
    import asyncpg

    return asyncio.run(asyncpg.connect(host=HOST, port=PORT, user="app", database="orders", timeout=3, ssl=False))


def sqlalchemy_connect():
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        f"postgresql+psycopg2://app@{HOST}:{PORT}/orders", connect_args={"connect_timeout": 3}
    )
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text("select 1"))


def pymysql_connect():
    import pymysql

    return pymysql.connect(host=HOST, port=PORT, user="app", connect_timeout=3, read_timeout=3)


def redis_ping():
    import redis

    return redis.Redis(HOST, PORT, socket_connect_timeout=3, socket_timeout=3).ping()


def pika_connect():
    import pika

    return pika.BlockingConnection(
        pika.ConnectionParameters(HOST, PORT, socket_timeout=2, stack_timeout=3, blocked_connection_timeout=3)
    )


def kafka_produce():
    import kafka

    return kafka.KafkaProducer(bootstrap_servers=f"{HOST}:{PORT}", api_version_auto_timeout_ms=2000)


def mongo_ping():
    import pymongo

    client = pymongo.MongoClient(HOST, PORT, serverSelectionTimeoutMS=2500, connectTimeoutMS=2000)
    return client.admin.command("ping")


def grpc_call():
    import grpc

    channel = grpc.insecure_channel(f"{HOST}:{PORT}")
    return channel.unary_unary("/rates.Rates/Get")(b"", timeout=3)


def s3_list():
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=2, retries={"max_attempts": 1})
    s3 = boto3.client(
        "s3", endpoint_url=f"http://{HOST}:{PORT}", region_name="eu-west-1", config=config,
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip
    return s3.list_buckets()


def elastic_info():
    import elasticsearch

    client = elasticsearch.Elasticsearch(f"http://{HOST}:{PORT}", request_timeout=2, max_retries=0)
    return client.info()


def smtp_send():
    import smtplib

    return smtplib.SMTP(HOST, PORT, timeout=3)


def ldap_bind():
    import ldap3

    server = ldap3.Server(HOST, PORT, connect_timeout=3)
    return ldap3.Connection(server, auto_bind=True, receive_timeout=3)


def ssh_connect():
    import paramiko

    client = paramiko.SSHClient()
    client.connect(HOST, PORT, username="sync", password="x", timeout=3, banner_timeout=3)


def websocket_connect():
    import websockets

    async def connect():
        async with websockets.connect(f"ws://{HOST}:{PORT}/feed", open_timeout=3) as feed:
            return await feed.recv()

    return asyncio.run(connect())


def nats_connect():
    import nats

    async def connect():
        return await nats.connect(f"nats://{HOST}:{PORT}", allow_reconnect=False, connect_timeout=2)

    return asyncio.run(connect())


def itself():
    """What a program can do to itself, no other service involved."""
    import socket
    import ssl

    match os.environ["FAULT"]:
        case "own-listener":
            socket.create_server(("0.0.0.0", PORT))
        case "own-certificate":
            with open("server.pem", "w") as out:
                out.write("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain("server.pem")
        case "missing-file":
            open("/etc/rates/config.yaml")
        case "missing-setting":
            os.environ["LEDGER_URL"]
        case "denied-file":
            open("/etc/shadow")
        case "disk-full":
            with open("/dev/full", "w") as out:
                out.write("x" * 100_000)
        case "memory":
            bytearray(1 << 40)
        case "bug":
            orders = {"open": []}
            print(sum(o["total"] for o in orders["open"]) / len(orders["open"]))


CALLS = {
    "requests": requests_get, "urllib": urllib_get, "http.client": http_client, "httpx": httpx_get,
    "aiohttp": aiohttp_get, "psycopg": psycopg3, "psycopg2": psycopg_2, "asyncpg": asyncpg_connect,
    "sqlalchemy": sqlalchemy_connect, "pymysql": pymysql_connect, "redis": redis_ping, "pika": pika_connect,
    "kafka": kafka_produce, "pymongo": mongo_ping, "grpc": grpc_call, "boto3": s3_list,
    "elasticsearch": elastic_info, "smtplib": smtp_send, "ldap3": ldap_bind, "paramiko": ssh_connect,
    "websockets": websocket_connect, "nats": nats_connect, "itself": itself,
}  # fmt: skip


class RatesUnavailable(Exception):
    """What a service raises when it cannot load what it needs."""


def main():
    call, style = CALLS[sys.argv[1]], sys.argv[2] if len(sys.argv) > 2 else "uncaught"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-8s %(name)s: %(message)s")
    if style == "json":
        from pythonjsonlogger import jsonlogger

        handler = logging.StreamHandler()
        handler.setFormatter(jsonlogger.JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.getLogger().handlers = [handler]
    log = logging.getLogger("rates")
    log.info("rates 4.2.1 starting, pid %d", os.getpid())
    log.info("settings read from environment, refresh every 30 s, upstream timeout 3 s")
    if style == "survived":
        try:
            call()
        except Exception as e:
            log.warning("rates not refreshed, using cached ones: %s", e)
        log.info("serving on :8080")
        log.info("42 orders priced in 180 ms")
        orders = [{"id": 17, "total": "12.50", "lines": None}]
        print(sum(len(o["lines"]) for o in orders))
    elif style == "uncaught":
        call()
    elif style in ("logged", "json"):
        try:
            call()
        except Exception:
            log.exception("could not load rates")
            sys.exit(1)
    elif style == "line":
        try:
            call()
        except Exception as e:
            log.error("start-up failed: %s", e)
            sys.exit(1)
    elif style == "structlog":
        import structlog

        try:
            call()
        except Exception as e:
            structlog.get_logger().error("startup_failed", component="rates", error=str(e) or repr(e))
            sys.exit(1)
    elif style == "wrapped":
        try:
            call()
        except Exception as e:
            raise RatesUnavailable("rates could not be loaded") from e
    elif style == "during":
        try:
            call()
        except Exception:
            raise RatesUnavailable("rates could not be loaded")
    elif style == "retried":
        for attempt in range(1, 4):
            try:
                call()
            except Exception as e:
                if attempt == 3:
                    log.critical("giving up after %d attempts: %r", attempt, e)
                    sys.exit(2)
                log.warning("attempt %d failed: %r; retrying", attempt, e)


main()
