"""A real browser without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.remote_connection import RemoteConnection

_CHROMIUM, _DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def there_is_a_browser() -> bool:
    """Whether this machine has Chromium and its driver."""
    return bool(_CHROMIUM and _DRIVER)


@contextmanager
def browsing(folder: Path) -> Iterator[Chrome]:
    """Start a browser that keeps what it keeps in a folder."""
    options = ChromeOptions()
    options.binary_location = _CHROMIUM or ""
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1200,1000",
        f"--user-data-dir={folder}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()
        # It leaves the connections to the driver open otherwise.
        cast("RemoteConnection", driver.command_executor).close()
