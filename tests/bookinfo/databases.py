"""
Real database servers for tests, on loopback and with their data in a folder of the test.

Whoever runs the tests owns the servers: an ordinary user as that user; root runs MariaDB as root, which it allows, and
PostgreSQL, which does not, as the user that its package has made.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.local_ports import free_port

DEADLINE_S = 30.0
PASSWORD = "pass/word:%"
"""With characters that a URL has to quote."""

CLIENT_ENV = {"PGPASSWORD": PASSWORD, "PGOPTIONS": "--client-min-messages=warning"}

TABLE = "CREATE TABLE IF NOT EXISTS ratings (ReviewID INT NOT NULL PRIMARY KEY, Rating INT)"


def find_program(name: str) -> Path:
    """Return where a program of a database is; skip the test where there is none."""
    folders = [*map(Path, os.get_exec_path()), Path("/usr/sbin"), Path("/usr/local/sbin")]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    pytest.skip(f"there is no {name}; Debian and Ubuntu have it in mariadb-server or postgresql")


def run(
    argv: list[str], *, user: str | None = None, stdin: str = "", env: Mapping[str, str] | None = None
) -> str:
    """Run a program to its end and return its output; a failure shows what the program said."""
    done = subprocess.run(
        argv,
        input=stdin,
        text=True,
        capture_output=True,
        timeout=DEADLINE_S,
        cwd="/",
        user=user,
        env=None if env is None else {**os.environ, **env},
    )
    assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"
    return done.stdout


class Server(ABC):
    """One kind of database, with Istio's ratings in it. The data outlives `stop`."""

    env: Mapping[str, str]
    """What makes ratings use it."""

    @abstractmethod
    def start(self) -> None:
        """Return when clients can connect; nothing to do if they can."""

    @abstractmethod
    def stop(self) -> None:
        """Return when nobody can connect any more; nothing to do if that is so."""

    @abstractmethod
    def set_ratings(self, *ratings: int | None) -> None:
        """Put these ratings, and no others, where Istio's sample has them; makes the place if it is not there."""


class SqlServer(Server):
    """A database with a table."""

    @abstractmethod
    def execute(self, *statements: str) -> str:
        """Return what the SELECT among them finds, one row a line."""

    @abstractmethod
    def locked(self) -> contextlib.AbstractContextManager[None]:
        """While it lasts, whoever wants to read the table has to wait."""

    def set_ratings(self, *ratings: int | None) -> None:
        rows = (
            f"({number}, {'NULL' if rating is None else rating})" for number, rating in enumerate(ratings, 1)
        )
        insert = [f"INSERT INTO ratings (ReviewID, Rating) VALUES {', '.join(rows)}"] if ratings else []
        self.execute(TABLE, "DELETE FROM ratings", *insert)

    def drop_table(self) -> None:
        self.execute("DROP TABLE ratings")


class Process:
    """A server process that is ended by its id."""

    def __init__(self, argv: list[str], log: Path, *, user: str | None = None) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", user=user
            )
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait for a condition; a process that ends meanwhile shows its log."""
        deadline = time.monotonic() + DEADLINE_S
        while not is_ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def end(self, number: int) -> None:
        self._process.send_signal(number)
        self._process.wait(DEADLINE_S)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """While it lasts, neither the process nor its children do anything; the kernel still accepts connections."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        pids = [self.pid, *map(int, children)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def session(argv: list[str], *statements: str, env: Mapping[str, str]) -> Iterator[None]:
    """A client that has carried out statements, and stays connected."""
    client = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **env}
    )
    with client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("".join(f"{statement};\n" for statement in (*statements, "SELECT 'done'")))
        client.stdin.flush()
        assert client.stdout.readline() == "done\n"
        yield


class MariaDb(SqlServer):
    """Speaks MySQL's protocol; a user that may only read logs in over TCP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: Process | None = None
        self._as_root = ["--user=root"] if os.getuid() == 0 else []
        self._program = find_program("mariadbd")
        self.env = {
            "SERVICE_VERSION": "v2",
            "DB_TYPE": "mysql",
            "MYSQL_DB_HOST": "127.0.0.1",
            "MYSQL_DB_PORT": str(self._port),
            "MYSQL_DB_USER": "bookinfo",
            "MYSQL_DB_PASSWORD": PASSWORD,
        }
        run(
            [
                str(find_program("mariadb-install-db")),
                "--no-defaults",
                *self._as_root,
                f"--datadir={folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
        )
        (folder / "init.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS test;\n"
            f"CREATE USER IF NOT EXISTS 'bookinfo'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT SELECT ON test.* TO 'bookinfo'@'127.0.0.1';\n"
        )

    def hanging(self) -> contextlib.AbstractContextManager[None]:
        assert self._process is not None
        return self._process.hanging()

    def start(self) -> None:
        if self._process is not None:
            return
        self._process = Process(
            [
                str(self._program),
                "--no-defaults",
                *self._as_root,
                f"--datadir={self._folder}/data",
                f"--socket={self._folder}/socket",
                f"--pid-file={self._folder}/pid",
                f"--port={self._port}",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--innodb-buffer-pool-size=16M",
                f"--init-file={self._folder}/init.sql",
            ],
            self._folder / "log",
        )
        self._process.wait_until(self._greets)

    def _greets(self) -> bool:
        """The server speaks first, once it serves."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port), 5) as connection,
        ):
            return connection.recv(1) != b""
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.end(signal.SIGTERM)
            self._process = None

    def _client(self) -> list[str]:
        options = ["--no-defaults", f"--socket={self._folder}/socket", "--user=root", "--database=test"]
        return [str(find_program("mariadb")), *options, "--skip-column-names", "--unbuffered"]

    def execute(self, *statements: str) -> str:
        return run([*self._client(), "-e", "; ".join(statements)])

    def locked(self) -> contextlib.AbstractContextManager[None]:
        return session(self._client(), "LOCK TABLES ratings WRITE", env={})

    def connections(self) -> int:
        """Return how many connections ratings has open."""
        found = self.execute("SELECT count(*) FROM information_schema.processlist WHERE user = 'bookinfo'")
        return int(found)


class PostgreSql(SqlServer):
    """Logs in with a password that is never sent in the clear (SCRAM)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = unprivileged_user()
        self._port = free_port()
        self._process: Process | None = None
        self._program = find_program("postgres")
        self.env = {
            "RATINGS_DB_URL": f"postgresql://bookinfo:pass%2Fword%3A%25@127.0.0.1:{self._port}/postgres"
        }
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        run(
            [
                str(find_program("initdb")),
                f"--pgdata={folder}/data",
                "--username=bookinfo",
                f"--pwfile={folder}/password",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-sync",
            ],
            user=self._user,
        )

    def hanging(self) -> contextlib.AbstractContextManager[None]:
        assert self._process is not None
        return self._process.hanging()

    def start(self) -> None:
        if self._process is not None:
            return
        argv = [str(self._program), "-D", f"{self._folder}/data", "-p", str(self._port)]
        options = ["-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        self._process = Process([*argv, *options], self._folder / "log", user=self._user)
        self._process.wait_until(self._serves)

    def _serves(self) -> bool:
        """The server writes its state into the eighth line of its file."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._folder / "data" / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.end(signal.SIGINT)
            self._process = None

    def _client(self) -> list[str]:
        target = f"host=127.0.0.1 port={self._port} user=bookinfo dbname=postgres"
        return [str(find_program("psql")), "-XqtA", target]

    def execute(self, *statements: str) -> str:
        return run([*self._client(), "-c", "; ".join(statements)], env=CLIENT_ENV)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        return session(self._client(), "BEGIN", "LOCK TABLE ratings", env=CLIENT_ENV)

    def connections(self) -> int:
        """Return how many connections ratings has open."""
        others = "backend_type = 'client backend' AND application_name <> 'psql'"
        return int(self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))


class SqliteFile(SqlServer):
    """A file; it is away when it has another name."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ratings.db"
        self._hidden = folder / "hidden.db"
        self.env = {"RATINGS_DB_URL": f"sqlite:///{self._path}"}
        self.set_ratings()

    def start(self) -> None:
        if self._hidden.exists():
            self._hidden.rename(self._path)

    def stop(self) -> None:
        if self._path.exists():
            self._path.rename(self._hidden)

    def execute(self, *statements: str) -> str:
        with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            rows = [row for statement in statements for row in connection.execute(statement)]
        return "\n".join(str(row[0]) for row in rows)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield


class MongoDbElsewhere(Server):
    """The server that MONGO_DB_URL names; its collection `test.ratings` is replaced."""

    def __init__(self, _folder: Path) -> None:
        self._url = os.environ["MONGO_DB_URL"]
        self.env = {"SERVICE_VERSION": "v2", "MONGO_DB_URL": self._url}

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It is not ours to stop."""

    def set_ratings(self, *ratings: int | None) -> None:
        import pymongo

        client: pymongo.MongoClient[dict[str, int | None]] = pymongo.MongoClient(self._url)
        with client:
            collection = client["test"]["ratings"]
            collection.delete_many({})
            if ratings:
                collection.insert_many([{"rating": rating} for rating in ratings])


class MongoDb(MongoDbElsewhere):
    """A server of our own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._port = free_port()
        self._url = f"mongodb://127.0.0.1:{self._port}/test"
        self.env = {"SERVICE_VERSION": "v2", "MONGO_DB_URL": self._url}
        (folder / "data").mkdir()

    def start(self) -> None:
        if self._process is not None:
            return
        options = ["--dbpath", f"{self._folder}/data", "--bind_ip", "127.0.0.1", "--nounixsocket"]
        argv = [str(find_program("mongod")), *options, "--port", str(self._port)]
        self._process = Process(argv, self._folder / "log")
        self._process.wait_until(self._accepts)

    def _accepts(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.end(signal.SIGTERM)
            self._process = None


KINDS: Mapping[str, Callable[[Path], Server]] = {
    "mariadb": MariaDb,
    "postgresql": PostgreSql,
    "sqlite": SqliteFile,
    "mongodb": MongoDb,
    "mongodb-elsewhere": MongoDbElsewhere,
}

NO_MONGODB = "there is no mongod on PATH, and MONGO_DB_URL names no server"


def kinds_to_try() -> list[str]:
    """Return all kinds, without MongoDB where it cannot be had: few distributions have a package of it."""
    left_out = set() if shutil.which("mongod") else {"mongodb"}
    if not os.environ.get("MONGO_DB_URL"):
        left_out.add("mongodb-elsewhere")
    return [kind for kind in KINDS if kind not in left_out]


@contextlib.contextmanager
def opened(kind: str, folder: Path) -> Iterator[Server]:
    """A server that runs, with its data in `folder`, or elsewhere if that is of no use to the user it runs as."""
    with contextlib.ExitStack() as stack:
        user = unprivileged_user() if kind == "postgresql" else None
        if user is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-test-")))
            shutil.chown(folder, user)
        server = KINDS[kind](folder)
        stack.callback(server.stop)
        server.start()
        yield server


def unprivileged_user() -> str | None:
    """Return the user for a server that refuses to be root's; None for whoever runs the tests."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("root cannot run PostgreSQL, and there is no user postgres")
