"""The headers of the fake are those that the live service sent, in their order."""

from typing import Any

from fake_server import FakeServer
from tests.asking import BEARER, body, post, send
from tests.recorded import RAW, exchanges, needed, newest

pytestmark = needed

# What may differ: these belong to the connection and the layers in front.
ANYWHERE = {"connection", "transfer-encoding", "set-cookie", "content-security-policy-report-only"}


def names(headers: Any) -> list[str]:
    return [name for name, _ in headers if name not in ANYWHERE]


def test_an_answer_has_the_recorded_headers_in_order(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"stop"')

    answer = post(grok_server, body(model="grok-4.3"))

    assert names(answer.headers.multi_items()) == names(recorded.headers)


# A date and ids, and figures that the fake does not have.
CHANGING = {
    "date",
    "x-request-id",
    "x-metrics-ttft-ms",
    "x-metrics-mean-itl-ms",
    "x-metrics-e2e-ms",
    "traceparent",
    "cf-ray",
}


def test_headers_that_do_not_change_have_the_recorded_values(grok_server):
    recorded = newest("Aug 2026", streamed=False, holding='"stop"')

    answer = post(grok_server, body(model="grok-4.3"))

    constant = [row for row in recorded.headers if row[0] not in CHANGING | ANYWHERE]
    assert len(constant) == 13
    assert [(name, answer.headers.get(name)) for name, _ in constant] == constant


def test_a_stream_has_the_recorded_headers_in_order(grok_server):
    """Those of August 2026 are of /v1/responses; the older ones lack x-data-retention."""
    recorded = next(
        exchange
        for exchange in exchanges("/v1/responses")
        if exchange.repository == RAW and exchange.streamed
    )

    answer = post(grok_server, body(model="grok-4.3", stream=True))

    assert names(answer.headers.multi_items()) == names(recorded.headers)


def test_an_error_has_the_recorded_headers_and_bytes():
    [recorded] = [
        exchange
        for exchange in exchanges("/v1/responses")
        if exchange.repository == RAW and exchange.status == 400
    ]

    with FakeServer(api_key="xai-another-key") as server:
        answer = post(server, body())

    assert names(answer.headers.multi_items()) == names(recorded.headers)
    assert (answer.status_code, answer.text) == (400, recorded.body)


def test_lists_have_the_recorded_headers_in_order(grok_server):
    [recorded] = exchanges("/v1/models")

    answer = send(grok_server, "GET", "/v1/models", headers=BEARER)

    assert names(answer.headers.multi_items()) == names(recorded.headers)
