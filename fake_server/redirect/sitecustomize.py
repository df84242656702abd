"""Send what a Python program asks of xAI to the fake instead; `fake_server run` puts it in place.

Python imports a module of this name at its start. It touches a client only when the program
imports that client, and a request only if it is for one of xAI's hosts. It runs in the
program's own Python: nothing but the standard library, no newer than Python 3.9.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys

# Of this name type checkers think that it is true; `typing` is not to be loaded for it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOSTS = ("api.x.ai", "us.api.x.ai", "us-east-1.api.x.ai", "eu-west-1.api.x.ai")
ADDRESS = os.environ.get("FAKE_SERVER_ADDRESS", "")


def _patch_httpx(module: Any) -> None:
    """Turn the address of a request as it leaves; the program sees its own."""
    host, _, port = ADDRESS.rpartition(":")

    def turned(request: Any) -> Any:
        if request.url.host in HOSTS:
            request.url = request.url.copy_with(scheme="http", host=host, port=int(port))
        return request

    handle = module.HTTPTransport.handle_request
    handle_async = module.AsyncHTTPTransport.handle_async_request

    def handle_request(self: Any, request: Any) -> Any:
        return handle(self, turned(request))

    async def handle_async_request(self: Any, request: Any) -> Any:
        return await handle_async(self, turned(request))

    module.HTTPTransport.handle_request = handle_request
    module.AsyncHTTPTransport.handle_async_request = handle_async_request


def _patch_http_client(module: Any) -> None:
    """Connect without TLS, also for urllib."""
    host, _, port = ADDRESS.rpartition(":")
    connect = module.HTTPSConnection.connect

    def connected(self: Any) -> None:
        if self.host in HOSTS:
            self.sock = self._create_connection((host, int(port)), self.timeout)
        else:
            connect(self)

    module.HTTPSConnection.connect = connected


def _patch_urllib3(module: Any) -> None:
    """Hand out connections to the fake, also for requests."""
    pool_for = module.PoolManager.connection_from_host

    def connection_from_host(self: Any, host: str, *others: Any, **named: Any) -> Any:
        if host in HOSTS:
            to, _, port = ADDRESS.rpartition(":")
            return pool_for(self, to, int(port), "http")
        return pool_for(self, host, *others, **named)

    module.PoolManager.connection_from_host = connection_from_host


def _patch_aiohttp(module: Any) -> None:
    request = module.ClientSession._request

    async def requested(self: Any, method: str, str_or_url: Any, **options: Any) -> Any:
        url = module.URL(str_or_url)
        if url.host in HOSTS:
            host, _, port = ADDRESS.rpartition(":")
            str_or_url = url.with_scheme("http").with_host(host).with_port(int(port))
        return await request(self, method, str_or_url, **options)

    module.ClientSession._request = requested


def _patch_grpc(module: Any) -> None:
    """Open channels to the fake, with the credentials of the calls and without TLS."""
    composite = module.composite_channel_credentials

    def composite_channel_credentials(channel_credentials: Any, *call_credentials: Any) -> Any:
        made = composite(channel_credentials, *call_credentials)
        made.of_calls = (*getattr(channel_credentials, "of_calls", ()), *call_credentials)
        return made

    module.composite_channel_credentials = composite_channel_credentials
    module.secure_channel = _opening(module, module.secure_channel)


def _patch_grpc_aio(module: Any) -> None:
    import grpc

    module.secure_channel = _opening(grpc, module.secure_channel)


def _opening(grpc: Any, secure_channel: Any) -> Any:
    def opened(
        target: str, credentials: Any, options: Any = None, *others: Any, **named: Any
    ) -> Any:
        host = target.rpartition("///")[2].partition(":")[0]
        if host in HOSTS:
            target, of_calls = ADDRESS, getattr(credentials, "of_calls", ())
            credentials = grpc.local_channel_credentials()
            if of_calls:
                credentials = grpc.composite_channel_credentials(credentials, *of_calls)
            options = [*(options or ()), ("grpc.enable_http_proxy", 0)]
        return secure_channel(target, credentials, options, *others, **named)

    return opened


PATCHES = {
    "httpx": _patch_httpx,
    "httpx2": _patch_httpx,
    "http.client": _patch_http_client,
    "urllib3.poolmanager": _patch_urllib3,
    "aiohttp.client": _patch_aiohttp,
    "grpc": _patch_grpc,
    "grpc.aio": _patch_grpc_aio,
}


class _Finder:
    """Finds the modules of PATCHES as everybody else does, and patches them once loaded."""

    def __init__(self) -> None:
        self._finding: set[str] = set()

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in PATCHES or name in self._finding:
            return None
        self._finding.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._finding.discard(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                PATCHES[name](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign] # this loader alone
        return spec


def _run_the_other_one() -> None:
    """Run the sitecustomize that this one stands before, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    others = [path for path in sys.path if os.path.abspath(path) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if ADDRESS:
    sys.meta_path.insert(0, _Finder())
_run_the_other_one()
