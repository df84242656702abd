"""A loop hears of signals, on systems whose loops have handlers and on others."""

import asyncio
import signal

import pytest

from fake_server.signals import on_signal


def _no_handlers(*_: object) -> None:
    """Do as the loop of Windows does."""
    raise NotImplementedError


@pytest.mark.parametrize("loop_has_handlers", [True, False])
def test_a_loop_hears_of_a_signal(monkeypatch, loop_has_handlers):
    if not loop_has_handlers:
        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", _no_handlers)
    before = signal.getsignal(signal.SIGTERM)

    async def heard() -> bool:
        event = asyncio.Event()
        on_signal(signal.SIGTERM, event.set)
        signal.raise_signal(signal.SIGTERM)
        return await asyncio.wait_for(event.wait(), 5)

    try:
        assert asyncio.run(heard())
    finally:
        signal.signal(signal.SIGTERM, before)
