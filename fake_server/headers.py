"""The headers of an answer, in the order in which the live service sent them.

OBSERVED 2026-08-10, cookies left out. Answers to inference have the most; lists of
models have no limits and no ids; errors have the least, and a content-length.
"""

from email.utils import formatdate
from functools import lru_cache

from .era import Era
from .identity import hexadecimal
from .rates import Told
from .refusals import ApiError

Headers = list[tuple[bytes, bytes]]


def of_completion(now: int, request_id: str, content_type: str, era: Era, told: Told) -> Headers:
    """Headers of an answer to inference, streamed or whole, in the order of the newest era."""
    name = request_id.encode()
    # Backwards, as nobody saw that a trace has the digits of its request.
    digits = name[35::-1].replace(b"-", b"")
    rows, (date_at, name_at, ray_at, trace_at) = _of_inference(content_type, era, told)
    headers = rows.copy()
    headers[date_at] = b"date", _date(now).encode()
    headers[name_at] = b"x-request-id", name
    headers[ray_at] = b"cf-ray", digits[16:] + b"-FRA"
    if trace_at:
        headers[trace_at] = b"traceparent", b"00-%b-%b-01" % (digits, digits[:16])
    return headers


# The headers whose values each answer has of its own.
_OWN = (b"date", b"x-request-id", b"cf-ray", b"traceparent")


def _was_sent(name: str, era: Era) -> bool:
    if name.startswith("x-ratelimit-"):
        return era.has_rate_limits
    if name.startswith("x-metrics-"):
        return era.has_metrics
    known = {"traceparent": era.has_traceparent, "x-data-retention": era.has_data_retention}
    return known.get(name, True)


@lru_cache(256)
def _of_inference(content_type: str, era: Era, told: Told) -> tuple[Headers, list[int]]:
    """Give the headers that all such answers share, and the places of _OWN, or 0."""
    limits = [
        ("x-ratelimit-limit-tokens", str(told.limit_tokens)),
        ("x-ratelimit-remaining-tokens", str(told.remaining_tokens)),
        ("x-ratelimit-limit-requests", str(told.limit_requests)),
        ("x-ratelimit-remaining-requests", str(told.remaining_requests)),
    ]
    ids = [("cf-cache-status", "DYNAMIC"), ("x-request-id", "")]
    retention = [("x-zero-data-retention", "false"), ("x-data-retention", "general")]
    if content_type == "text/event-stream":
        rows = [("cache-control", "no-cache"), retention[0], *limits, _STRICT, *ids, retention[1]]
    else:
        metrics = [
            ("x-metrics-ttft-ms", "1.0"),
            ("x-metrics-mean-itl-ms", "1.0"),
            ("x-metrics-e2e-ms", "2.0"),
        ]
        rows = [_STRICT, *limits, *ids, *retention, *metrics]
    rows += [("traceparent", ""), *_EDGE, *_server("")]
    headers = _encoded("", content_type, [row for row in rows if _was_sent(row[0], era)])
    names = [name for name, _ in headers]
    return headers, [names.index(name) if name in names else 0 for name in _OWN]


def of_list(now: int, content_type: str, seed: str) -> Headers:
    """Headers of an answer about models or keys; ASSUMED of other answers but to inference."""
    rows = [*_EDGE, ("cf-cache-status", "DYNAMIC"), _STRICT, *_server(_ray(seed))]
    return _encoded(_date(now), content_type, rows)


def of_error(now: int, content_type: str, length: int, error: ApiError) -> Headers:
    """Headers of a refusal. A Retry-After was never recorded: tests ask for it.

    ASSUMED: what another verb is told, which every server has to tell (RFC 9110, 15.5.6).
    """
    rows = [("content-length", str(length))]
    if error.retry_after is not None:
        rows.append(("retry-after", f"{error.retry_after:g}"))
    if error.allow:
        rows.append(("allow", ", ".join(error.allow)))
    rows += [_STRICT, *_EDGE, ("cf-cache-status", "DYNAMIC"), *_server(_ray(content_type))]
    return _encoded(_date(now), content_type, rows)


def of_preflight(now: int, seed: str) -> Headers:
    """Headers of the answer to a browser that asks whether a page may ask.

    ASSUMED: all is allowed; who lets every page see every header, as was OBSERVED, means that.
    """
    allowed = [(f"access-control-allow-{name}", "*") for name in ("methods", "headers")]
    rows = [("content-length", "0"), *_EDGE, *allowed, *_server(_ray(seed))]
    return _encoded(_date(now), "text/plain", rows)


_STRICT = ("strict-transport-security", "max-age=31536000")
_EDGE = (
    ("vary", "origin, access-control-request-method, access-control-request-headers"),
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
)


@lru_cache(8)
def _date(now: int) -> str:
    return formatdate(now, usegmt=True)


def _ray(seed: str) -> str:
    return f"{hexadecimal(16, 'ray', seed)}-FRA"


def _server(ray: str) -> list[tuple[str, str]]:
    return [("server", "cloudflare"), ("cf-ray", ray)]


def _encoded(date: str, content_type: str, rows: list[tuple[str, str]]) -> Headers:
    first = [("date", date), ("content-type", content_type)]
    if rows[0][0] != "content-length":
        first.append(("transfer-encoding", "chunked"))
    return [(name.encode(), value.encode()) for name, value in first + rows]
