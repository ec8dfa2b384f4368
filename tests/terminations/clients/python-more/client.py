"""A batch job that needs one other service: `client.py LIBRARY [STYLE]`."""

import asyncio
import logging
import os
import sys

HOST, PORT, URL = os.environ["HOST"], int(os.environ["PORT"]), os.environ["URL"]


def urllib3_get():
    import urllib3

    pool = urllib3.PoolManager(timeout=2.0, retries=1, ca_certs=os.environ["CA"])
    answer = pool.request("GET", URL)
    if answer.status >= 400:
        raise IOError(f"export endpoint said {answer.status} {answer.reason}")


def pg8000_connect():
    import pg8000.dbapi

    pg8000.dbapi.connect(user="app", host=HOST, port=PORT, database="orders", timeout=3)


def aiomysql_connect():
    import aiomysql

    asyncio.run(aiomysql.connect(host=HOST, port=PORT, user="app", connect_timeout=3))


def aiokafka_start():
    import aiokafka

    async def start():
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=f"{HOST}:{PORT}", request_timeout_ms=2500)
        await producer.start()

    asyncio.run(start())


def aio_pika_connect():
    import aio_pika

    asyncio.run(aio_pika.connect(f"amqp://guest:guest@{HOST}:{PORT}/", timeout=3))


def tornado_fetch():
    from tornado.httpclient import HTTPClient

    HTTPClient().fetch(URL, connect_timeout=2, request_timeout=3, ca_certs=os.environ["CA"])


def vault_read():
    import hvac

    hvac.Client(f"http://{HOST}:{PORT}", token="t", timeout=2).sys.read_health_status(method="GET")


def minio_list():
    import minio
    import urllib3

    http = urllib3.PoolManager(timeout=2.0, retries=0)
    minio.Minio(f"{HOST}:{PORT}", "k", "s", secure=False, http_client=http).list_buckets()


def influx_write():
    from influxdb_client import InfluxDBClient

    client = InfluxDBClient(f"http://{HOST}:{PORT}", token="t", org="shop", timeout=2000)
    client.query_api().query("buckets()")


def mqtt_connect():
    import paho.mqtt.client

    client = paho.mqtt.client.Client(paho.mqtt.client.CallbackAPIVersion.VERSION2)
    client.connect_timeout = 3
    client.connect(HOST, PORT)
    raise SystemExit(0)


def memcache_get():
    from pymemcache.client.base import Client

    Client((HOST, PORT), connect_timeout=3, timeout=3).get("rates")


def celery_send():
    import celery

    app = celery.Celery(broker=f"amqp://guest@{HOST}:{PORT}//")
    app.conf.broker_connection_timeout = 2
    app.send_task("export", retry=False)


def kubernetes_list():
    import kubernetes

    configuration = kubernetes.client.Configuration(host=f"http://{HOST}:{PORT}")
    configuration.retries = 0
    api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    api.list_namespaced_pod("sre", _request_timeout=2)


def consul_get():
    import consul

    consul.Consul(HOST, PORT, timeout=2).kv.get("rates")


def mssql_connect():
    import pymssql

    pymssql.connect(server=HOST, port=str(PORT), user="sa", password="x", login_timeout=3)


def clickhouse_query():
    import clickhouse_connect

    clickhouse_connect.get_client(host=HOST, port=PORT, connect_timeout=2, send_receive_timeout=2)


def opensearch_info():
    import opensearchpy

    opensearchpy.OpenSearch([{"host": HOST, "port": PORT}], timeout=2, max_retries=0).info()


CALLS = {name.removesuffix("_"): call for name, call in list(globals().items()) if callable(call)}


def main():
    call, style = CALLS[sys.argv[1]], sys.argv[2]
    if style == "loguru":
        from loguru import logger

        logger.info("export job 5.1 starting")
        try:
            call()
        except Exception:
            logger.exception("export failed")
            sys.exit(3)
    if style == "tenacity":
        from tenacity import before_sleep_log, retry, stop_after_attempt, wait_fixed

        logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
        log = logging.getLogger("export")
        retry(stop=stop_after_attempt(2), wait=wait_fixed(0.2), before_sleep=before_sleep_log(log, logging.WARNING))(call)()
    if style == "print":
        print("export job 5.1 starting", flush=True)
        try:
            call()
        except Exception as e:
            sys.exit(f"export failed: {type(e).__name__}: {e}")
    if style == "uncaught":
        print("export job 5.1 starting")
        call()
    if style == "logfmt":
        print("level=info msg=starting job=export", flush=True)
        try:
            call()
        except Exception as e:
            print(f'level=error msg="export failed" job=export err="{e}"', flush=True)
            os._exit(1)


main()
