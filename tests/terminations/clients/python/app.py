"""The price API, for gunicorn (`app:create()`) or uvicorn (`app:asgi`); both warm a cache first."""

import asyncio
import logging
import os

log = logging.getLogger("gunicorn.error" if os.environ.get("GUNICORN") else "uvicorn.error")


def create():
    import redis

    log.info("price-api 2.14.0, warming cache")
    cache = redis.Redis(os.environ["HOST"], int(os.environ["PORT"]), socket_connect_timeout=2, socket_timeout=2)
    if os.environ["FAULT"] != "own-listener":
        cache.set("warm", 1)
    return lambda environ, start: [start("200 OK", []), b"ok"][1:]


async def feed():
    async with asyncio.timeout(3):
        reader, writer = await asyncio.open_connection(os.environ["HOST"], os.environ["PORT"])
        writer.write(b"SUBSCRIBE prices\r\n")
        return await reader.readuntil(b"\r\n")


async def asgi(scope, receive, send):
    await receive()
    log.info("price-feed 0.8, subscribing")
    if os.environ["FAULT"] != "own-listener":
        await feed()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
