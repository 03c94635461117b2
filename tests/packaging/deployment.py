"""Postgres servers made by the very files of ``deploy/postgres``, on this machine and without containers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local import binaries, processes, server_account
from local.postgres import DATABASE, OWNER
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from local.server_account import ServerAccount

FILES = Path(__file__).parents[2] / "deploy" / "postgres"
PASSWORD = "a-word-of-the-tests-own"


@dataclass(frozen=True)
class Flavour:
    """A Postgres that this machine has: where, and whether it can encrypt."""

    folder: Path
    tls: bool

    def __str__(self) -> str:
        """For the names of tests."""
        return f"{self.folder.parent.name}{'-tls' if self.tls else ''}"


def list_flavours() -> list[Flavour]:
    """The wheel's, which cannot encrypt, and the system's newest that can, if there is one."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_config"))
    able = [
        path.parent
        for path in system
        if (path.parent / "postgres").exists()
        and "--with-openssl" in subprocess.run([path, "--configure"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    ]
    return [Flavour(binaries.find_postgres(), tls=False), *(Flavour(folder, tls=True) for folder in able[-1:])]


@dataclass
class Node:
    """One server."""

    name: str
    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Deployment:
    """Servers of one log, with its archive and its certificates, in a folder that whoever runs Postgres can reach."""

    home: Path
    account: ServerAccount
    flavour: Flavour
    nodes: dict[str, Node] = field(default_factory=dict)

    @classmethod
    def at(cls, home: Path, flavour: Flavour) -> Deployment:
        """Make the folder, the archive and the certificates; no server yet."""
        home.mkdir()
        account = server_account.choose_account(home, home / "pgdata")
        place = account.place or home
        flavour = Flavour(account.within_reach(flavour.folder), flavour.tls)
        for folder in ("archive", "certs", "logs", "backups"):
            (place / folder).mkdir(exist_ok=True)
        shutil.copytree(FILES, place / "deploy")
        (place / "password").write_text(PASSWORD)
        (place / "tools").mkdir()
        if not flavour.tls:
            _stand_in_for_verifybackup(place / "tools")
        certify(place / "certs")
        for path in (place, *place.rglob("*")):
            account.own(path)
        return cls(place, account, flavour)

    def environment(self, node: Node) -> dict[str, str]:
        """What the scripts read, passwords from files."""
        names = ("POSTGRES", "REPLICATION", "VENTURE_OWNER", "VENTURE_APP", "VENTURE_AUDITOR")
        tls = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.home / "certs" / "ca.crt")}
        return {
            "PATH": f"{self.home}/tools:{self.flavour.folder}:{os.environ['PATH']}",
            "PGDATA": str(node.data),
            "NODE": node.name,
            "BIN": str(self.home / "deploy" / "bin"),
            "ARCHIVE": str(self.home / "archive"),
            "CERTS": str(self.home / "certs"),
            "TLS": "on" if self.flavour.tls else "off",
            "PGHOST": str(self._sockets(node)),
            "PGPORT": str(node.port),
            **{f"{name}_PASSWORD_FILE": str(self.home / "password") for name in names},
            **(tls if self.flavour.tls else {}),
        }

    def _sockets(self, node: Node) -> Path:
        """A short path: a socket's name has a hundred bytes."""
        folder = Path(tempfile.gettempdir()) / f"venture-{node.port}"
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.account.own(folder)
        return folder

    def node(self, name: str, folder: str = "") -> Node:
        """A server that is to be; its data lie in a folder of its name."""
        node = self.nodes[folder or name] = Node(name, self.home / (folder or name), processes.free_port())
        return node

    async def begin(self) -> Node:
        """The first server, as ``log_1``: it answers."""
        node = self.node("log_1")
        await self.run("create", node)
        await self.serve(node)
        return node

    async def attach(self, node: Node, primary: Node) -> None:
        """Make it a standby of that primary, from nothing."""
        await self.run("standby", node, node.name, self.primary(primary))
        await self.serve(node)

    async def promote_newest(self, standbys: list[Node]) -> Node:
        """Of the standbys the one that has received more: with ANY 1 another may lack what was answered last."""
        received = {
            node.name: int(await self.ask(node, "SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn"))
            for node in standbys
        }
        newest = max(standbys, key=lambda node: received[node.name])
        await self.run("promote", newest)
        for node in standbys:
            if node is not newest:
                await self.run("follow", node, node.name, self.primary(newest))
        return newest

    async def rejoin(self, node: Node, primary: Node) -> None:
        """Rewind an old primary that is dead, and have it follow the new one."""
        await self.run("rejoin", node, node.name, self.primary(primary))
        await self.serve(node)

    async def serve(self, node: Node) -> None:
        """Start the server and wait until it takes connections."""
        self.start(node)
        await self.until_answering(node)

    async def until_archived(self, node: Node) -> None:
        """Close the segment that it writes now, and wait until the archive has it."""
        segment = await self.ask(node, "SELECT pg_walfile_name(pg_current_wal_lsn())")
        await self.ask(node, "SELECT pg_switch_wal()")

        async def archived() -> bool:
            return await asyncio.to_thread((self.home / "archive" / segment).exists)

        await until(archived)

    def primary(self, node: Node) -> str:
        """How that server is named to those that follow it."""
        return f"host=127.0.0.1 port={node.port}"

    async def run(self, script: str, node: Node, *arguments: str) -> str:
        """One of the scripts of ``deploy/postgres/bin``, as whoever runs Postgres; what it said."""
        command = ["bash", str(self.home / "deploy" / "bin" / f"{script}.sh"), *arguments]
        done = await asyncio.to_thread(
            subprocess.run,
            processes.bind_command(
                [*self.account.prefix, *command], when_parent_dies=signal.SIGKILL, uid=self.account.uid
            ),
            cwd="/",
            env=self.environment(node),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, node: Node) -> None:
        """Start the server; it dies with this process."""
        words = [str(self.flavour.folder / "postgres"), "-D", str(node.data), "-p", str(node.port)]
        node.process = processes.spawn(
            [*self.account.prefix, *words, "-c", f"unix_socket_directories={self._sockets(node)}"],
            log=self.home / "logs" / f"{node.name}.log",
            when_parent_dies=signal.SIGINT,
            uid=self.account.uid,
            env=self.environment(node),
        )

    async def until_answering(self, node: Node) -> None:
        """Wait until it takes connections."""

        async def answers() -> bool:
            assert node.process is not None
            ended = node.process.poll() is not None
            assert not ended, await asyncio.to_thread((self.home / "logs" / f"{node.name}.log").read_text)
            try:
                connection = await asyncpg.connect(self.url(node, "postgres", "postgres"), timeout=5)
            except (OSError, asyncpg.PostgresError):
                return False
            await connection.close()
            return True

        await until(answers)

    def url(self, node: Node, role: str = OWNER, database: str = DATABASE) -> str:
        """How a role reaches that server, encrypted where it can be."""
        tls = f"?sslmode=verify-full&sslrootcert={self.home}/certs/ca.crt" if self.flavour.tls else ""
        return f"postgresql://{role}:{PASSWORD}@127.0.0.1:{node.port}/{database}{tls}"

    def url_of_all(self, role: str) -> str:
        """How a role reaches whichever of the servers is the primary."""
        first, *_ = self.nodes.values()
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes.values())
        url = self.url(first, role).replace(f"127.0.0.1:{first.port}", hosts)
        return f"{url}{'&' if '?' in url else '?'}target_session_attrs=primary"

    async def ask(self, node: Node, query: str) -> str:
        """One value, as the superuser."""
        connection = await asyncpg.connect(self.url(node, "postgres", "postgres"))
        try:
            return str(await connection.fetchval(query))
        finally:
            await connection.close()

    def kill(self, node: Node) -> None:
        """Kill -9 the server, as a machine that fails."""
        assert node.process is not None
        node.process.kill()
        node.process.wait()

    def close(self) -> None:
        """End every server, and leave nothing."""
        for node in self.nodes.values():
            if node.process is not None:
                processes.stop(node.process, signal.SIGQUIT)
            shutil.rmtree(self._sockets(node), ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)


def _stand_in_for_verifybackup(folder: Path) -> None:
    """The wheel's own crashes on every backup (18.4): the same question, every file against its size and digest."""
    program = folder / "pg_verifybackup"
    program.write_text(
        f"""#!{sys.executable} -IS
import hashlib, json, pathlib, sys
backup = pathlib.Path(sys.argv[1])
for told in json.loads((backup / "backup_manifest").read_bytes())["Files"]:
    content = (backup / told["Path"]).read_bytes()
    if len(content) != told["Size"] or hashlib.sha256(content).hexdigest() != told["Checksum"]:
        sys.exit(told["Path"])
"""
    )
    program.chmod(0o755)


def certify(folder: Path, lasting: timedelta = timedelta(days=30)) -> None:
    """An authority, and a certificate of this machine that it signed."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("authority", "127.0.0.1")
    )

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + lasting)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
            builder = builder.add_extension(here, critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    (folder / "ca.crt").write_bytes(build(ca_name, ca_key.public_key(), ca=True).public_bytes(pem))
    (folder / "server.crt").write_bytes(build(name, key.public_key(), ca=False).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(private)
