"""The fake as a running server: in a thread for Python, in the main thread for the command."""

import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager, closing
from functools import cached_property
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from .app import App
from .assertions import assert_called
from .catalogue import ids
from .contract import BY_NAME
from .era import NEWEST, Era
from .fetch import Sources
from .front import Front
from .in_process import async_transport, transport
from .journal import Journal, LoggedImage, LoggedRequest
from .listening import listener, listening
from .loop import Loop, SharedLoop
from .passing import passing
from .scripts import Answers
from .service import Service
from .settings import (
    CLOCKS,
    CONTRACTS,
    DEFAULT_KEPT_IMAGES,
    FAKE_KEY,
    UPSTREAM,
    check_bytes,
    check_host,
    check_names,
    check_secret,
)
from .state import State, Wanted, alone
from .when import when

if TYPE_CHECKING:
    from typing_extensions import Self


def _state(url: str | None, wanted: Wanted) -> State:
    """Make the state of a server: in the Redis at an address, or in its own memory.

    Raises ValueError for what is no address, and StateLost where nobody answers.
    """
    if url is None:
        return alone(wanted)
    try:
        from .shared.state import together
    except ImportError as error:
        raise ValueError(
            f"a shared state needs one more package: pip install 'llm-grok-vision[redis]' ({error})"
        ) from None
    return together(url, wanted)


class FakeServer(Answers):
    """A fake of xAI's API on a port of this machine.

        with FakeServer() as server:
            client = openai.OpenAI(base_url=server.url, api_key="anything")

    `url` is the base URL that clients need, and `api_host` what xai-sdk needs. `requests` are
    the newest 1,000 that came in. `reply`, `fail` and `fault` script the next answers, in order,
    `when` those to requests of some kind; without a script the answer says what was seen.
    `clear` forgets scripts, mapped images, requests, batches, files, stored and deferred answers.

    Requests of a batch are answered as they are added, unless `hold_batches` was called;
    `finish_batches` and `expire_batches` show when the client next asks for a batch.

    `images` is a folder with DIR/host/path for https://host/path; `allow_hosts` may be
    fetched over the network; any other address is answered by a built-in picture, or
    refused without `placeholder`. `models` are the only ones that there are. With
    `requests_per_minute` or `tokens_per_minute` each model's requests are counted.
    `keep_images` is how many bytes of images are kept for the page and the control API.
    `scenario` is a YAML file of rules and pictures, which is read again when it changes.

    With `record` requests go on to xAI, or to another `upstream`, and cassettes are written into
    that folder; with `replay` those of a folder answer, and nothing else. `seed` throws the
    dice of rules with a probability. `asgi` is the server as an ASGI application.
    With a `token`, and not without, other machines may ask for what is below /_fake/.
    Servers with the same `state`, the address of a Redis, behave as one.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        images: str | os.PathLike[str] | None = None,
        allow_hosts: Iterable[str] = (),
        placeholder: bool = True,
        contract: str = "documented",
        api_key: str | None = None,
        max_body: int | None = None,
        clock: str = "fixed",
        era: str = NEWEST,
        models: Iterable[str] | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        keep_images: int = DEFAULT_KEPT_IMAGES,
        scenario: str | os.PathLike[str] | None = None,
        record: str | os.PathLike[str] | None = None,
        upstream: str = UPSTREAM,
        replay: str | os.PathLike[str] | None = None,
        seed: int = 0,
        token: str | None = None,
        state: str | None = None,
    ) -> None:
        if contract not in CONTRACTS:
            raise ValueError(f"contract is one of {', '.join(CONTRACTS)}, not {contract!r}")
        if clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, not {clock!r}")
        if images is not None and not Path(images).is_dir():
            raise ValueError(f"images is no folder: {os.fspath(images)}")
        check_host(host)
        check_names("allow_hosts", allow_hosts)
        check_names("models", models)
        check_secret("api_key", api_key)
        check_secret("token", token)
        check_bytes("max_body", max_body)
        check_bytes("keep_images", keep_images)
        self._host, self._port = host, port
        rules = replace(BY_NAME[contract], era=Era(era))
        limits = (requests_per_minute, tokens_per_minute)
        parts = _state(state, Wanted(seed, clock == "real", limits, keep_images))
        super().__init__(parts.scenario)
        sources = Sources(
            mapped=self._scenario.images,
            images=None if images is None else Path(images),
            allow_hosts=frozenset(name.lower() for name in allow_hosts),
            placeholder=placeholder,
            max_image_bytes=rules.max_image_bytes,
        )
        service = Service(
            sources,
            parts.scenario,
            parts.journal,
            rules,
            clock=parts.clock,
            rates=parts.rates,
            models=None if models is None else ids(models),
            stored=parts.stored,
            deferred=parts.deferred,
            files=parts.files,
        )
        self.app = App(
            service,
            api_key=api_key,
            max_body=rules.max_body if max_body is None else max_body,
            batching=parts.batching,
        )
        if scenario is not None:
            from .script_file import ScenarioFile

            file = ScenarioFile(Path(scenario), self._scenario)
            self._scenario.watch, self.app.restore = file.refresh, file.restore
        self.asgi = Front(self.app, passing(record, upstream, replay), token)

    @cached_property
    def _loop(self) -> SharedLoop:
        """Where all answer who ask without a socket: one after the other, as over one."""
        return SharedLoop()

    @property
    def requests(self) -> Journal:
        """The newest requests that came in, the oldest first."""
        self.app.journal.refresh()
        return self.app.journal

    @property
    def url(self) -> str:
        """The base URL that clients need, such as http://127.0.0.1:51234/v1."""
        if not self._port:
            raise RuntimeError("FakeServer has no address yet: use `with FakeServer() as server`")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def api_host(self) -> str:
        """What xai-sdk wants to know: localhost:51234, which it asks for no certificate."""
        loopback = self._host in ("127.0.0.1", "::1", "localhost")
        return f"localhost:{self._port}" if loopback else urlsplit(self.url).netloc

    def environment(self) -> dict[str, str]:
        """Give the variables of the environment by which clients find the server.

        OPENAI_BASE_URL and XAI_API_BASE are read by the openai packages, llm-grok-vision,
        langchain-xai and litellm, ANTHROPIC_BASE_URL by anthropic. xai-sdk reads none but its
        key: XAI_API_HOST is for a program that hands it on as `api_host`.
        """
        key = self.app.api_key or FAKE_KEY
        return {
            "XAI_API_KEY": key,
            "XAI_API_BASE": self.url,
            "XAI_API_HOST": self.api_host,
            "OPENAI_API_KEY": key,
            "OPENAI_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.url.removesuffix("/v1"),
            # A proxy of this machine knows nothing of the fake.
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def transport(self, library: ModuleType) -> Any:
        """Make a transport without a socket for a Client of httpx or httpx2, whichever is given.

        The server need not be started.
        """
        return transport(self.asgi, library, self._loop)

    def async_transport(self, library: ModuleType) -> Any:
        """Make a transport without a socket for an AsyncClient of httpx or httpx2."""
        return async_transport(self.asgi, library)

    def when(
        self, *, times: int | None = None, probability: float = 1, **conditions: Any
    ) -> Answers:
        """Script answers to the requests that meet conditions, always unless `times` is told.

        The conditions are those of `fake_server.when.When`; `probability` is how often of
        these requests, by dice that are the same in every run. The first rule that is for a
        request answers it.
        """
        return Answers(self._scenario, when(**conditions), times, probability)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Put the scenario of a YAML file in the place of all scripts.

        Raises ValueError with the line of a mistake.
        """
        from .script_file import load

        load(Path(path), self._scenario)

    def assert_called(self, *, times: int | None = None, **conditions: Any) -> list[LoggedRequest]:
        """Assert that some request met conditions, or so many; the result is these requests.

        The conditions are those of `fake_server.when.When`. Raises AssertionError, which
        says what came nearest.
        """
        return assert_called(self.requests, when(**conditions), times)

    def advance(self, seconds: float) -> None:
        """Move the clock on: a minute later a rate limit begins anew."""
        self.app.service.clock.advance(seconds)

    def image_bytes(self, image: LoggedImage) -> bytes:
        """Give the bytes of an image that was sent; raises LookupError if they are not kept."""
        data = self.app.journal.images.get(image.sha256)
        if data is None:
            raise LookupError("these bytes are not kept: keep_images says how many are")
        return data

    def raise_errors(self) -> None:
        """Raise what a function of the test raised, if one did; the fixture does so by itself."""
        if self._scenario.errors:
            raise self._scenario.errors.pop(0)

    def serve_image(self, url: str, data: bytes | os.PathLike[str]) -> None:
        """Put these bytes, or this file, behind a web address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the address of an image begins with http:// or https://: {url}")
        picture = data if isinstance(data, bytes) else Path(data).read_bytes()
        self._scenario.serve_image(url, picture)

    def hold_batches(self) -> None:
        """Leave the requests of batches pending that are added from now on."""
        self.app.batches.hold()

    def finish_batches(self, count: int | None = None) -> None:
        """Answer the next `count` requests that are held; without a count all, and hold no more."""
        self.app.batches.finish(count)

    def expire_batches(self) -> None:
        """Let every batch expire; what is pending in them is cancelled."""
        self.app.batches.expire()

    def clear(self) -> None:
        """Forget scripts, mapped images, requests, batches, files, stored and deferred answers.

        What the file of a scenario says holds again.
        """
        self.app.clear()

    @asynccontextmanager
    async def running(
        self, patience: float = 0, shared: socket.socket | None = None
    ) -> AsyncIterator[None]:
        """Listen as long as the context lasts; raises OSError if the port is taken.

        With a `shared` socket others listen too. At the end, answers that are on their way have
        so many seconds to finish.
        """
        with shared or listener(self._host, self._port) as own:
            self._port = own.getsockname()[1]
            async with listening(self.asgi, own, patience):
                yield

    def __enter__(self) -> "Self":
        with ExitStack() as running:
            loop = running.enter_context(closing(Loop()))
            running.enter_context(loop.within(self.running()))
            self._stop = running.pop_all().close
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        if error is None:
            self.raise_errors()
