"""An API server in this process on a free TLS port, pods that only pretend to run, and the real kubectl against it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import gc
import ipaddress
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.clients import cells, kubectls, local_streams

from bookmesh.base import kubernetes
from bookmesh.kube.api import (
    app,
    authentication,
    authorization,
    default_roles,
    inprocess,
    serving,
    verbs,
)
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import records, store
from bookmesh.lab import bound_tokens, certificate_signing
from bookmesh.lab import credentials as lab_credentials
from bookmesh.lab import keys as lab_keys
from bookmesh.lab import tokens as lab_tokens

TOKEN = "a-token-of-the-tests"
DEADLINE_S = 100.0


@pytest.fixture(params=kubectls.VERSIONS)
def kubectl_binary(request: pytest.FixtureRequest) -> Path:
    """Each kubectl in turn; tests are called after its minor version."""
    return kubectls.find(request.param)


@pytest.fixture
def leaks_collected() -> Iterator[None]:
    """See `tests.clients.leaks`."""
    yield
    gc.collect()


@dataclass(frozen=True)
class Keys:
    """PEM files of one authority, its server and one client."""

    authority: Path
    server: Path
    client: Path


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if not is_ca:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"))
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    directory = tmp_path_factory.mktemp("keys")
    authority = ec.generate_private_key(ec.SECP256R1())
    found = Keys(directory / "ca.crt", directory / "server.pem", directory / "client.pem")
    found.authority.write_bytes(_certificate("test-ca", authority, "test-ca", authority, is_ca=True))
    (directory / "ca.key").write_bytes(_private(authority))
    lab_credentials.ensure_front_proxy(lab_keys.Keys(directory))
    (directory / "service-accounts.key").write_bytes(_private(ec.generate_private_key(ec.SECP256R1())))
    for path, name in ((found.server, "kube-apiserver"), (found.client, "tester")):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, "test-ca", authority, is_ca=False)
        path.write_bytes(certificate + _private(key))
    return found


@dataclass(frozen=True)
class Result:
    """How a kubectl ended and what it wrote."""

    code: int
    out: str
    err: str


@dataclass
class Cluster:
    """What a test needs: the server's inside, and kubectl outside."""

    over: verbs.Verbs
    client: inprocess.InProcessClient
    streams: local_streams.LocalStreams
    port: int
    directory: Path
    binary: Path
    variables: dict[str, str] = field(default_factory=dict)
    """Further ones of kubectl's environment."""

    def environment(self) -> dict[str, str]:
        own = {
            "KUBECONFIG": str(self.directory / "kubeconfig"),
            "KUBECACHEDIR": str(self.directory / "cache"),
            "HOME": str(self.directory),
        }
        return {**local_streams.environment(), **own, **self.variables}

    async def start(self, *arguments: str, stdin: int | None = None) -> asyncio.subprocess.Process:
        """Start kubectl and leave it running; the caller ends it."""
        return await asyncio.create_subprocess_exec(
            str(self.binary),
            *arguments,
            env=self.environment(),
            cwd=self.directory,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def kubectl(self, *arguments: str, stdin: str | bytes = b"") -> Result:
        """Run kubectl to its end."""
        process = await self.start(*arguments, stdin=asyncio.subprocess.PIPE)
        content = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            out, err = await asyncio.wait_for(process.communicate(content), DEADLINE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return Result(process.returncode, out.decode(), err.decode())

    async def ok(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """Run kubectl, which must succeed; returns its standard output."""
        result = await self.kubectl(*arguments, stdin=stdin)
        assert result.code == 0, f"kubectl {' '.join(arguments)}: {result.err}{result.out}"
        return result.out

    async def fails(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """Run kubectl, which must fail; returns its standard error."""
        result = await self.kubectl(*arguments, stdin=stdin)
        assert result.code != 0, f"kubectl {' '.join(arguments)} succeeded: {result.out}"
        return result.err

    async def until_watched(self, plural: str) -> None:
        """Wait until somebody watches a core resource."""
        watches = self.over.store._watches
        async with asyncio.timeout(DEADLINE_S):
            while not watches.get(records.GroupResource("", plural)):
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A kubectl that runs while the test does something, and is ended then."""
        process = await self.start(*arguments)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def line_of(process: asyncio.subprocess.Process) -> str:
    """The next line that a running kubectl prints."""
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
    return line.decode().rstrip("\n")


def _write_kubeconfig(path: Path, keys: Keys, port: int) -> None:
    def encode(data: bytes) -> str:
        return base64.b64encode(data).decode()

    certificate, mark, key = keys.client.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority-data": encode(keys.authority.read_bytes()),
    }
    by_certificate = {"client-certificate-data": encode(certificate), "client-key-data": encode(mark + key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "certificate",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [
            {"name": "certificate", "user": by_certificate},
            {"name": "token", "user": {"token": TOKEN}},
            {"name": "nobody", "user": {"token": "wrong"}},
        ],
        "contexts": [
            {"name": name, "context": {"cluster": "test", "user": name}}
            for name in ("certificate", "token", "nobody")
        ],
    }
    path.write_bytes(orjson.dumps(document))


@pytest.fixture
def tls(keys: Keys) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.server)
    context.load_verify_locations(keys.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.fixture
def over(keys: Keys) -> Iterator[verbs.Verbs]:
    objects = store.Store.open(None)
    signer = certificate_signing.CertificateSigner(lab_keys.Keys(keys.authority.parent))
    found = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load(), signer=signer)
    for name in ("default", "kube-system"):
        found.create(kubernetes.NAMESPACES, {"metadata": {"name": name}})
    default_roles.ensure(found)
    administrator = {
        "metadata": {"name": "tests"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "token-user"}],
    }
    found.create(default_roles.BINDINGS, administrator)
    yield found
    objects.close()


def _user_for_token(read: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Know the token of the tests, and those of service accounts."""
    return lambda token: "token-user" if token == TOKEN else read(token)


async def _until_hung_up(port: int) -> None:
    """Wait until no connection to the server is open any more: clients in this process hang up in their own time."""
    own = f"0100007F:{port:04X}"
    async with asyncio.timeout(DEADLINE_S):
        while any(
            (line.split()[1], line.split()[3]) == (own, "01")
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        ):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_cluster(
    over: verbs.Verbs, tls: ssl.SSLContext, keys: Keys, *, directory: Path, binary: Path
) -> AsyncIterator[Cluster]:
    """Serve `over`; every command that kubectl started must have ended when it closes."""
    streams = local_streams.LocalStreams()
    issuer = lab_tokens.TokenIssuer(lab_keys.Keys(keys.authority.parent).token_key)
    read = bound_tokens.reader(issuer, over.store)
    authenticator = authentication.Authenticator(user_for_token=_user_for_token(read))
    authorizer = authorization.Authorizer(over.store)
    built = app.build_app(
        over,
        streams=streams,
        authenticator=authenticator,
        authorizer=authorizer,
        issuer=issuer,
        identity=lab_keys.Keys(keys.authority.parent).front_proxy,
    )
    running = await serving.start(built, tls=tls)
    _write_kubeconfig(directory / "kubeconfig", keys, running.port)
    client = inprocess.InProcessClient(over)
    try:
        yield Cluster(over, client, streams, running.port, directory, binary)
    finally:
        await running.stop()
        await _until_hung_up(running.port)
    async with asyncio.timeout(DEADLINE_S):
        while any(session._process.returncode is None for session in streams.sessions):
            await asyncio.sleep(0.01)


@pytest.fixture
async def cluster(
    over: verbs.Verbs, tls: ssl.SSLContext, keys: Keys, tmp_path: Path, kubectl_binary: Path
) -> AsyncIterator[Cluster]:
    async with open_cluster(over, tls, keys, directory=tmp_path, binary=kubectl_binary) as found:
        yield found


def pytest_collection_finish(session: pytest.Session) -> None:
    """
    Know which cells of the compatibility matrix this run is to show, and have the kubectls that it wants.

    To fetch one takes as long as the network does, which is not for one test's time. What fails fails again in a test.
    """
    if any("kubectl_binary" in getattr(item, "fixturenames", ()) for item in session.items):
        with contextlib.suppress(subprocess.SubprocessError):
            for version in kubectls.VERSIONS:
                kubectls.find(version)
    session.config.pluginmanager.register(cells.Cells(session.items), "compatibility-cells")
