"""What all tests share: LLM's own folder is never touched, nor the machine's settings."""

import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils
import tenacity
import trustme
from hypothesis import HealthCheck, settings
from llm.migrations import migrate

from fake_server import FakeServer
from llm_grok_vision import retries
from tests.describing import FIRST_WIDTH
from tests.pictures import picture
from tests.web import Web, serving

pytest_plugins = ["pytester"]

# How fast a machine is decides no test.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def new_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set up a log as LLM does in a new folder: that takes longer than the prompt which is logged."""
    path = tmp_path_factory.mktemp("log") / "logs.db"
    with closing(sqlite_utils.Database(path)) as database:
        migrate(database)
    return path


@pytest.fixture(autouse=True)
def own_llm_folder(tmp_path: Path, new_log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give LLM a folder with an empty log alone, and take away keys and settings of the machine."""
    for name in (
        "XAI_API_KEY",
        "XAI_API_BASE",
        "LLM_MODEL",
        "LLM_LOAD_PLUGINS",
        "LLM_RAISE_ERRORS",
    ):
        monkeypatch.delenv(name, raising=False)
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_PROXY".upper(), raising=False)
    folder = tmp_path / "llm"
    folder.mkdir()
    shutil.copy(new_log, folder / "logs.db")
    monkeypatch.setenv("LLM_USER_PATH", str(folder))
    return folder


@pytest.fixture
def no_log_yet(own_llm_folder: Path) -> Path:
    """Give the path of the log that LLM has to set up first."""
    log = own_llm_folder / "logs.db"
    log.unlink()
    return log


@pytest.fixture(autouse=True)
def uncounted_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count covered lines in this process alone: in each `llm` it takes half a second."""
    if request.node.get_closest_marker("covers_processes") is None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def xai(grok_server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Point the plugin at a fake server, with a key that is good."""
    monkeypatch.setenv("XAI_API_KEY", "xai-test-key")
    monkeypatch.setenv("XAI_API_BASE", grok_server.url)
    return grok_server


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Make an authority that nobody knows yet."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return trustme.CA()


@pytest.fixture
def named_authority(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the user name the authority, as one of a company is."""
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Let 127.0.0.1 be spoken to by https, with a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve pictures from this machine."""
    with serving() as web:
        yield web


@pytest.fixture
def fetching_xai(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Point the plugin at a fake that fetches addresses of this machine, and no others."""
    monkeypatch.setenv("XAI_API_KEY", "xai-test-key")
    with FakeServer(allow_hosts=["127.0.0.1"], placeholder=False) as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        yield server


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the plugin at a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("XAI_API_KEY", "xai-test-key")
    monkeypatch.setenv("XAI_API_BASE", f"{address}/v1")
    return address


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(retries, "BACKOFF", tenacity.wait_none())


@pytest.fixture
def image_file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write bytes into a file of this name."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def photo(image_file: Callable[[str, bytes], Path]) -> Path:
    """A JPEG of 1344x896: six tiles."""
    return image_file("photo.jpg", picture(1344, 896, "JPEG"))


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Fill the folder `photos` of the current folder; each picture has a width of its own."""
    monkeypatch.chdir(tmp_path)

    def fill(count: int) -> list[str]:
        Path("photos").mkdir(exist_ok=True)
        names = [f"photos/{number:03}.png" for number in range(count)]
        for number, name in enumerate(names):
            Path(name).write_bytes(picture(FIRST_WIDTH + number, 32))
        return names

    return fill
