"""Failures between a client and its server, and how to cause them.

A fault gives a client an address and, if needed, a server there that misbehaves. All addresses are in
the network namespace that `produce` creates; no packet leaves it.
"""

import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading
from dataclasses import dataclass

LOCAL = "10.96.10"  # addresses of this namespace: a closed port refuses
SILENT = "10.96.20"  # packets leave and nothing comes back
UNREACHABLE = "10.96.30"  # the kernel answers: no route to host
ELSEWHERE = "10.97.0"  # no route at all: network is unreachable
RESOLVER = f"{LOCAL}.53"

NAMES = {
    "swype-gateway": f"{LOCAL}.21",
    "ledger.payments.svc.cluster.local": f"{LOCAL}.22",
    "orders-db": f"{LOCAL}.23",
    "cache-0.cache.shop.svc": f"{LOCAL}.24",
    "silent-gateway": f"{SILENT}.66",
    "stock.warehouse.svc.cluster.local": f"{SILENT}.67",
    "far-gateway": f"{UNREACHABLE}.30",
    "lost-gateway": f"{ELSEWHERE}.9",
}


@dataclass(frozen=True)
class Fault:
    """One failure: the expected verdict, and the address that the client connects to."""

    label: str
    kind: str | None = None
    host: str = "swype-gateway"
    server: str | None = None
    tls: bool = False


FAULTS = {
    # Network failures.
    "refused": Fault("network", "refused"),
    "refused-local": Fault("network", "refused", "127.0.0.1"),
    "timeout": Fault("network", "timeout", "silent-gateway"),
    "unreachable": Fault("network", "unreachable", "far-gateway"),
    "no-network": Fault("network", "unreachable", "lost-gateway"),
    "nxdomain": Fault("network", "dns", "ledger-gone.payments.svc.cluster.local"),
    "dns-dead": Fault("network", "dns", "ledger.dead.example.com"),
    "silent": Fault("network", "timeout", "ledger.payments.svc.cluster.local", "silent"),
    "eof": Fault("network", "reset", "ledger.payments.svc.cluster.local", "eof"),
    "cut": Fault("network", "reset", "ledger.payments.svc.cluster.local", "cut"),
    "reset": Fault("network", "reset", "ledger.payments.svc.cluster.local", "reset"),
    "tls-untrusted": Fault("network", "tls", "swype-gateway", "tls:good", True),
    "tls-expired": Fault("network", "tls", "swype-gateway", "tls:expired", True),
    "tls-name": Fault("network", "tls", "swype-gateway", "tls:other", True),
    "tls-plain": Fault("network", "tls", "swype-gateway", "http:400", True),
    "http-502": Fault("network", "proxy-or-gateway", "swype-gateway", "http:502"),
    "http-503": Fault("network", "proxy-or-gateway", "swype-gateway", "http:503"),
    "http-504": Fault("network", "proxy-or-gateway", "swype-gateway", "http:504"),
    # Other failures of a client that reaches its server.
    "http-401": Fault("config", None, "swype-gateway", "http:401"),
    "http-409": Fault("application", None, "swype-gateway", "http:409"),
    "http-422": Fault("application", None, "swype-gateway", "http:422"),
    "bad-url": Fault("config"),
    "password": Fault("config", None, "orders-db", "real"),
    "statement-timeout": Fault("application", None, "orders-db", "real"),
    "lock": Fault("application", None, "orders-db", "real"),
    "pool": Fault("application", None, "orders-db", "real"),
    # Failures of the program without a server.
    "own-listener": Fault("config", None, "0.0.0.0", "hold"),
    "own-certificate": Fault("config"),
    "missing-file": Fault("config"),
    "missing-setting": Fault("config"),
    "denied-file": Fault("permission"),
    "disk-full": Fault("storage"),
    "memory": Fault("oom"),
    "bug": Fault("application"),
    # The client fails to reach its server, logs it, continues, and then exits by a bug.
    "survived": Fault("application"),
}


class Resolver(threading.Thread):
    """A DNS server that denies every name, and does not answer for `*.dead.*`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))

    def run(self):
        while True:
            question, client = self.socket.recvfrom(512)
            if b"\x04dead" in question or len(question) < 12:
                continue
            end = 12
            while end < len(question) and question[end]:
                end += question[end] + 1
            body = question[12 : end + 5]
            head = question[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0)
            with contextlib.suppress(OSError):
                self.socket.sendto(head + body, client)


REASONS = {400: "Bad Request", 401: "Unauthorized", 409: "Conflict", 422: "Unprocessable Entity",
           502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}  # fmt: skip


class Server:
    """Listens on one address for the time of one case and misbehaves there."""

    def __init__(self, how, address, port, certificates):
        self.how, self.certificates = how, certificates
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(64)
        self.open = []
        if how != "hold":
            threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        client.settimeout(10)
        with contextlib.suppress(OSError, ssl.SSLError):
            match self.how.split(":"):
                case ["silent"]:
                    self.open.append(client)
                    return
                case ["eof"]:
                    client.recv(4096)
                    client.close()
                case ["cut"]:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{\"rates\": [")
                    client.close()
                case ["reset"]:
                    client.recv(4096)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                case ["tls", name]:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(self.certificates / f"{name}.crt", self.certificates / f"{name}.key")
                    with context.wrap_socket(client, server_side=True) as tls:
                        tls.recv(4096)
                case ["http", status]:
                    self.answer(client, int(status))

    def answer(self, client, status):
        asked = b""
        while b"\r\n\r\n" not in asked:
            got = client.recv(4096)
            if not got:
                return
            asked += got
            if asked[:1] == b"\x16":
                break
        body = f"<html><body><h1>{status} {REASONS[status]}</h1></body></html>\n"
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
        client.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
        client.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for client in self.open:
            client.close()


def certificates(where):
    """Create an untrusted certificate, an expired one and one for another name."""
    where.mkdir(parents=True, exist_ok=True)
    # Clients trust this authority, so that the other two certificates fail for their own reason.
    shell = f"""
    set -e
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=Shop test authority' -keyout ca.key -out ca.crt
    for name in good expired other; do
        host=swype-gateway; [ $name = other ] && host=mail.example.com
        days=3650; [ $name = expired ] && days=-1
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout $name.key -out $name.csr
        printf 'subjectAltName=DNS:%s\\n' $host > $name.ext
        if [ $name = good ]; then
            openssl x509 -req -in $name.csr -signkey $name.key -days $days -extfile $name.ext -out $name.crt
        elif [ $name = expired ]; then
            : > index.txt; echo 01 > serial
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\nunique_subject=no\\n[p]\\ncommonName=supplied\\n' > ca.conf
            openssl ca -batch -config ca.conf -cert ca.crt -keyfile ca.key -in $name.csr -extfile $name.ext \\
                -startdate 20240101000000Z -enddate 20240201000000Z -out $name.crt
        else
            openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $days -extfile $name.ext -out $name.crt
        fi
    done
    """
    if not (where / "other.crt").exists():
        subprocess.run(["bash", "-c", shell], cwd=where, check=True, capture_output=True)
    return where


def namespace():
    """Lays out a fresh network namespace (of `unshare --net --mount`): addresses, names and resolver."""
    setup = f"""
    set -e
    mount --make-rprivate /
    ip link set lo up
    for n in 21 22 23 24 53; do ip addr add {LOCAL}.$n/32 dev lo; done
    ip link add brb0 type veth peer name brb1
    ip link set brb0 arp off up
    ip link set brb1 up
    ip addr add {SILENT}.1/24 dev brb0
    ip route add unreachable {UNREACHABLE}.0/24
    """
    subprocess.run(["bash", "-c", setup], check=True)
    names = "".join(f"{address} {name}\n" for name, address in NAMES.items())
    for file, text in {
        "/etc/hosts": f"127.0.0.1 localhost\n{names}",
        "/etc/resolv.conf": f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n",
    }.items():
        copy = f"/tmp/.brb-{os.getpid()}-{os.path.basename(file)}"
        with open(copy, "w") as out:
            out.write(text)
        subprocess.run(["mount", "--bind", copy, file], check=True)
        os.unlink(copy)
