"""What a fake server can be told, and what it does untold: the command and Python share it.

This module imports nothing, so that the command's help costs no server.
"""

CONTRACTS = ("documented", "observed")
CLOCKS = ("fixed", "real")
DEFAULT_MAX_BODY = 1024**3

# Below this path the fake itself is asked, and not xAI's API.
PREFIX = "/_fake"
HEALTH = f"{PREFIX}/health"
# Where the fake describes itself.
OPENAPI = "/openapi.json"

# Where requests go on to that are recorded.
UPSTREAM = "https://api.x.ai"

# Nobody looks at it: any key is good for the fake, unless --api-key names one.
FAKE_KEY = "xai-fake-key"

# What is kept of requests: the newest, and bytes to look at.
MOST_REQUESTS = 1000
MOST_EXCHANGE_BYTES = 2 * 1024**2
DEFAULT_KEPT_IMAGES = 8 * 1024**2


def check_host(value: str) -> None:
    """Raise ValueError for what is no host; the empty one would be every address of this machine."""
    if not (value and value.isprintable()):
        raise ValueError(f"host is an address to listen on, such as 127.0.0.1, not {value!r}")


def check_names(name: str, value: object) -> None:
    """Raise TypeError for one name in the place of several, which would be its letters."""
    if isinstance(value, str):
        raise TypeError(f"{name} are several, as in [{value!r}]")


def check_secret(name: str, value: str | None) -> None:
    """Raise ValueError for a key or a token that everybody has, or that no header can hold."""
    if value is not None and not (value and value.isascii() and value.isprintable()):
        raise ValueError(f"{name} is printable ASCII, and not empty")


def check_bytes(name: str, value: int | None) -> None:
    """Raise ValueError for what is no number of bytes."""
    if value is not None and (not isinstance(value, int) or value < 0):
        raise ValueError(f"{name} is a number of bytes from 0, not {value!r}")
