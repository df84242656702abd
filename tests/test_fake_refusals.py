"""Every refusal of the fake is provoked once over HTTP, and the earlier of two wins."""

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from fake_server import FakeServer
from fake_server.checks import CHECKS, check
from fake_server.refusals import REFUSALS, ApiError, refuse
from fake_server.request import ChatRequest
from fake_server.wire.paths import POSTS
from tests.asking import BEARER, body, image, post, prompt, send, text
from tests.fuzzing import QUESTIONS, changed
from tests.pictures import data_url, picture, png_of_bytes
from tests.sound_headers import png_header
from tests.test_fake_batches_refused import BATCHES
from tests.test_fake_fetch import FETCHING
from tests.test_fake_grpc import CALLS

CHAT = "/v1/chat/completions"
CUT_JPEG = data_url(picture(40, 30, "JPEG")[:-1], "image/jpeg")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


@dataclass
class Case:
    """A request that earns a row, and the answer; in `says` a team's id is <team>."""

    status: int
    says: str
    json: Any = None
    code: str = "invalid-argument"
    content_type: str = "application/json"
    method: str = "POST"
    path: str = CHAT
    headers: dict[str, str] = field(default_factory=lambda: dict(BEARER))
    content: bytes | None = None
    settings: dict[str, Any] = field(default_factory=dict)


PLAIN: dict[str, Any] = {"code": "", "content_type": "text/plain; charset=utf-8"}
BAD = "Invalid request content: "
TYPED = {**BEARER, "content-type": "application/json"}

CASES: dict[str, Case] = {
    "too many requests": Case(
        429,
        "Too many requests for team <team> and model grok-4. Your team's rate limit is \u2014"
        " Requests per Minute (actual/limit): 1/0."
        " You can view your team rate limits at https://console.x.ai.",
        body(),
        code="resource-exhausted",
        settings={"requests_per_minute": 0},
    ),
    "too many tokens": Case(
        429,
        "Too many tokens for team <team> and model grok-4. Your team's rate limit is \u2014"
        " Tokens per Minute (actual/limit): 0/0."
        " You can view your team rate limits at https://console.x.ai.",
        body(),
        code="resource-exhausted",
        settings={"tokens_per_minute": 0},
    ),
    "body too large": Case(
        413,
        "<html><head><title>413 Request Entity Too Large</title></head></html>",
        body(),
        code="",
        content_type="text/html",
        settings={"max_body": 60},
    ),
    "no such path": Case(
        404,
        "The fake server has nothing at /v1/chat; its paths begin with /v1.",
        body(),
        code="not-found",
        path="/v1/chat",
    ),
    "wrong verb": Case(405, "", method="GET", **PLAIN),
    "no key": Case(
        401,
        "No credentials presented.",
        body(),
        code="unauthenticated:no-credentials",
        headers={},
    ),
    "wrong key": Case(
        400,
        "Incorrect API key provided. You can obtain an API key from https://console.x.ai.",
        body(),
        settings={"api_key": "xai-another-key"},
    ),
    "not JSON type": Case(
        415, "Expected request with `Content-Type: application/json`", content=b"{}", **PLAIN
    ),
    "not JSON": Case(
        400,
        "Failed to parse the request body as JSON: JSON is malformed: object keys must be strings (byte 1)",
        content=b"{model}",
        headers=TYPED,
        **PLAIN,
    ),
    "wrong shape": Case(
        422,
        "Failed to deserialize the JSON body into the target type: missing field `messages`",
        {"model": "grok-4"},
        **PLAIN,
    ),
    "no messages": Case(
        400,
        "Bad data: Messages cannot be empty",
        {"model": "grok-4", "messages": []},
        code="400",
    ),
    "stream and deferred": Case(
        400,
        '"A request may either be streaming or deferred, but not both."',
        body(stream=True, deferred=True),
        code="",
    ),
    "unknown model": Case(
        404,
        "The model grok-5 does not exist or your team <team> does not have access to it."
        " If you believe this is a mistake, please contact support and quote your team ID"
        " and the model name.",
        body(model="grok-5"),
        code="not-found",
    ),
    "model not found": Case(
        400, "Model not found: grok-5", prompt(model="grok-5"), path="/v1/responses"
    ),
    "retired model": Case(
        404,
        "The model grok-beta was deprecated on 2025-09-15 and is no longer accessible via the"
        " API. Please use grok-3 instead.",
        body(model="grok-beta"),
        code="not-found",
    ),
    "image model": Case(
        400,
        "The model grok-imagine-image-quality is an image model and is therefore not available"
        " on this endpoint. Please use a compatible endpoint such as"
        " https://api.x.ai/v1/images/generations. For more information, see"
        " https://docs.x.ai/docs/api-reference#image-generation",
        body(model="grok-imagine-image-quality"),
    ),
    "unknown response": Case(
        404,
        "No responses could be found with the given response_id.",
        prompt(previous_response_id="49dae54b-910c-95d4-877e-ee154aec8b8b"),
        code="not-found",
        path="/v1/responses",
    ),
    "unknown deferred completion": Case(
        404,
        "Cannot find deferred completion with ID f15c114e",
        code="not-found",
        method="GET",
        path="/v1/chat/deferred-completion/f15c114e",
    ),
    "unsupported parameter": Case(
        400,
        "Argument not supported on this model: presencePenalty",
        body(model="grok-4.6", presence_penalty=1),
    ),
    "unknown effort": Case(
        400,
        "Invalid reasoning effort.",
        prompt(model="grok-4.5", reasoning={"effort": "bogus"}),
        path="/v1/responses",
    ),
    "unsupported effort": Case(
        400,
        "This model does not support `reasoning_effort` value `none`.",
        body(model="grok-4.5", reasoning_effort="none"),
    ),
    "no tokens": Case(
        400,
        "Maximum number of tokens max_tokens must be positive but max_tokens = -5",
        body(max_tokens=-5),
    ),
    "parameter out of range": Case(
        400, BAD + "temperature must be between 0 and 2.", body(temperature=2.1)
    ),
    "live search": Case(
        410,
        '{"error":"Live search is deprecated. Please switch to the Agent Tools API:'
        ' https://docs.x.ai/docs/guides/tools/overview"}',
        body(search_parameters={"mode": "auto"}),
        code="",
    ),
    "empty text": Case(400, BAD + "Text content is empty.", body(text(""))),
    "tool_choice without tools": Case(
        400,
        BAD + "A tool_choice was set on the request but no tools were specified.",
        body(tool_choice="auto"),
    ),
    "unknown tool": Case(
        400,
        BAD + "A tool_choice names fly, which is not among the tools.",
        body(
            tool_choice={"type": "function", "function": {"name": "fly"}},
            tools=[{"type": "function", "function": {"name": "walk"}}],
        ),
    ),
    "no content": Case(
        400,
        BAD + "Each message must have at least one content element.",
        {"model": "grok-4", "messages": [{"role": "user", "content": []}]},
    ),
    "unknown part": Case(
        400,
        BAD + "Content part of type input_audio is not supported.",
        body({"type": "input_audio", "input_audio": {}}),
    ),
    "text-only model": Case(
        400,
        BAD + "Image inputs are not supported by this model.",
        body(image(data_url(picture(40, 30))), model="grok-3"),
    ),
    "unknown detail": Case(
        400,
        BAD + "detail must be one of auto, low, high, got original.",
        body(image(data_url(picture(40, 30)), detail="original")),
    ),
    "bad base64": Case(
        400,
        "Base64 string of provided image cannot be decoded.",
        body(image("data:image/png;base64,?")),
        code="invalid_image",
    ),
    "image too large": Case(
        400,
        "Image has 20971521 bytes, which is above the maximum of 20971520 bytes.",
        body(image(data_url(png_of_bytes(20 * 1024**2 + 1)))),
        code="invalid_image",
    ),
    "not an image": Case(
        400,
        "Downloaded response does not contain a valid JPG or PNG image.",
        body(image(data_url(picture(40, 30, "WEBP"), "image/png"))),
        code="invalid_image",
    ),
    "damaged PNG": Case(
        400,
        "Invalid PNG image.",
        body(image(data_url(picture(40, 30)[:-1]))),
        code="invalid_image",
    ),
    "damaged JPEG": Case(400, "Invalid JPEG image.", body(image(CUT_JPEG)), code="invalid_image"),
    "side too small": Case(
        400,
        "Image dimensions 1x1 are too small. Both width and height must be at least 8 pixels.",
        body(image(data_url(picture(1, 1)))),
        code="invalid_image",
    ),
    "area too small": Case(
        400,
        "Image has 420 total pixels (21x20), which is below the minimum of 512 pixels.",
        body(image(data_url(picture(21, 20)))),
        code="invalid_image",
    ),
    "area too large": Case(
        400,
        "Image has 256000000 total pixels (16000x16000),"
        " which is above the maximum of 178956970 pixels.",
        body(image(data_url(png_header(16000, 16000)))),
        code="invalid_image",
    ),
    # A tile and the extra one are 512 tokens, and a word is one by the fake's own rule.
    "bad schema": Case(
        400,
        BAD + "Invalid JSON schema.",
        body(
            tool_choice="required",
            tools=[
                {"type": "function", "function": {"name": "f", "parameters": {"properties": [1]}}}
            ],
        ),
    ),
    "context overflow": Case(
        400,
        "This model's maximum prompt length is 32768 but the request contains 32769 tokens.",
        body(text("a " * 32769), model="grok-2-vision-1212"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_is_refused_with_its_status_and_words(name):
    case = CASES[name]

    with FakeServer(**case.settings) as server:
        options = {"json": case.json} if case.content is None else {"content": case.content}
        answer = send(server, case.method, case.path, headers=case.headers, **options)

    said = _UUID.sub("<team>", answer.text)
    wanted = json.dumps(
        {"code": case.code, "error": case.says}, separators=(",", ":"), ensure_ascii=False
    )
    assert answer.status_code == case.status
    assert said == (wanted if case.code else case.says)
    assert answer.headers["content-type"] == case.content_type
    assert (server.requests[0].status, server.requests[0].error != "") == (
        case.status,
        case.says != "",
    )


def test_every_row_is_provoked():
    elsewhere = {
        "batch from a file",
        "batch ended",
        "batch full",
        "error in a test's function",
        "state lost",
        "unsupported argument",
        "misplaced image",
        "bad tool arguments",
        "unknown file",
        "not a form",
        "bad lifetime",
        "file too large",
        "not an image of four types",
        "damaged WebP",
        "damaged ICO",
    }
    assert {*CASES, *FETCHING, *BATCHES, *CALLS, *elsewhere} == set(REFUSALS)


def test_the_checks_run_in_the_order_of_the_rows():
    assert list(CHECKS) == [name for name in REFUSALS if name in CHECKS]


def refusals(check: Callable[[ChatRequest], object], request: ChatRequest) -> list[str]:
    try:
        check(request)
    except ApiError as error:
        return [error.error]
    return []


def all_checks(request: ChatRequest) -> None:
    for name, blanks_of in CHECKS.items():
        blanks = blanks_of(request)
        if blanks is not None:
            raise refuse(name, **blanks)


def test_no_check_that_would_refuse_a_request_is_left_out():
    dice = random.Random(7)
    asked = [(POSTS[path], question) for _, path, question in QUESTIONS if path in POSTS]
    checked: list[list[str]] = []
    while len(checked) < 2000:
        wire, question = dice.choice(asked)
        data = json.dumps(changed(question, dice)).encode()
        with suppress(msgspec.DecodeError, ApiError):
            request = wire.to_request(wire.decode(data), data)
            checked.append(refusals(check, request))
            assert checked[-1] == refusals(all_checks, request), data

    assert len({*map(str, checked)}) > 20


def test_a_prompt_that_just_fits_the_context_is_answered(grok_server):
    fits = body(text("a " * 32768), model="grok-2-vision-1212")

    assert post(grok_server, fits).status_code == 200


def test_images_are_not_held_against_the_context(grok_server):
    many = body(*[image(data_url(picture(1344, 896)))] * 100, model="grok-2-vision-1212")

    answer = post(grok_server, many)

    assert answer.json()["usage"]["prompt_tokens_details"]["image_tokens"] == 179_200


def test_a_refusal_uses_no_scripted_answer(grok_server):
    grok_server.reply("scripted")

    post(grok_server, body(model="grok-5"))
    answer = post(grok_server, body())

    assert answer.json()["choices"][0]["message"]["content"] == "scripted"
