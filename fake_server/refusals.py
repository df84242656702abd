"""Everything the fake refuses, a row each, in the order in which it looks.

A row holds when it applies, the HTTP status, xAI's `code` and text, and how that is
known (the four words are explained in `llm_grok_vision.limits`). Not every layer of the
service answers in xAI's flat JSON: `shape` says how the text is wrapped. The README's
table is made of these rows.

The order is ASSUMED from what was seen to mask what. Texts and codes follow the newest
wording seen, unless the guide says otherwise.
"""

from typing import Literal

import msgspec

from llm_grok_vision import limits

# The status over gRPC, by that over HTTP. DOC xai-sdk's README: what each means to its users.
# ASSUMED: that they go together so; the sentences that were codes until 2026 describe them.
_OVER_GRPC = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}


def over_grpc(status: int) -> str:
    """Give the name that a status of HTTP has over gRPC, where nothing else is known."""
    return _OVER_GRPC.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")


# flat: {"code": code, "error": text}; bare: {"error": text}; string: text as JSON.
Shape = Literal["flat", "bare", "string", "text", "html"]


class Refusal(msgspec.Struct, frozen=True):
    """One thing that is refused, and the answer to it."""

    when: str
    status: int
    code: str
    text: str
    evidence: str
    shape: Shape = "flat"
    named_over_grpc: str = ""

    @property
    def grpc(self) -> str:
        """The name of the status over gRPC."""
        return self.named_over_grpc or over_grpc(self.status)


class ApiError(Exception):
    """A refused request: what to answer, and the seconds for Retry-After if it has one.

    `allow` are the verbs that the path takes, of a request with another. `why` says for a
    reader of the journal which row this is, and how it is known.
    """

    def __init__(
        self,
        status: int,
        code: str,
        error: str,
        retry_after: float | None = None,
        *,
        shape: Shape = "flat",
        grpc: str = "",
        why: str = "",
    ) -> None:
        super().__init__(error)
        self.allow: tuple[str, ...] = ()
        self.why = why
        self.grpc = grpc or over_grpc(status)
        self.shape = shape
        self.status = status
        self.code = code
        self.error = error
        self.retry_after = retry_after


class StateLost(ConnectionError):
    """What processes share can't be read or written; the message says where, without a password."""


_TOO_MANY_TOKENS = (
    "Too many tokens for team {team} and model {model}. Your team's rate limit is"
    " \N{EM DASH} Tokens per Minute (actual/limit): "
)
_LIMITS_PAGE = " You can view your team rate limits at https://console.x.ai."
_UNABLE = "Image URL could not be fetched: "

REFUSALS: dict[str, Refusal] = {
    "body too large": Refusal(
        "the request body is larger than --max-body (the live service: 50 MiB)",
        413,
        "",
        "<html><head><title>413 Request Entity Too Large</title></head></html>",
        "OBSERVED 2025-12; the limit is a setting",
        "html",
    ),
    "no such path": Refusal(
        "no such path",
        404,
        "not-found",
        "The fake server has nothing at {path}; its paths begin with /v1.",
        "ASSUMED",
    ),
    "wrong verb": Refusal(
        "another verb than the path takes", 405, "", "", "DOC status, ASSUMED body", "text"
    ),
    "no protobuf": Refusal(
        "a call of gRPC where the messages of xai-sdk are not installed",
        501,
        "",
        "The fake server needs more packages for gRPC: pip install 'llm-grok-vision[grpc]'."
        " ({problem})",
        "no matter of xAI's",
        "text",
    ),
    "no such method": Refusal(
        "no such method of gRPC",
        501,
        "",
        "The fake server has no method {path}.",
        "DOC gRPC status, ASSUMED text",
        "text",
    ),
    "no key": Refusal(
        "no Authorization header, or an empty key",
        401,
        "unauthenticated:no-credentials",
        "No credentials presented.",
        "OBSERVED 2026-08",
    ),
    "wrong key": Refusal(
        "another key than --api-key",
        400,
        "invalid-argument",
        "Incorrect API key provided{shown}. You can obtain an API key from https://console.x.ai.",
        "OBSERVED 2026-08-10; before, the text showed four characters of the key",
        named_over_grpc="UNAUTHENTICATED",
    ),
    "unknown response": Refusal(
        "no such stored response, in the path or as `previous_response_id`",
        404,
        "not-found",
        "No responses could be found with the given response_id.",
        "DOC OPENAPI text of the path, ASSUMED code; ASSUMED of `previous_response_id`",
    ),
    "unknown deferred completion": Refusal(
        "no such deferred completion, or it was fetched before",
        404,
        "not-found",
        "Cannot find deferred completion with ID {request}",
        "DOC status; ASSUMED text",
    ),
    "unknown file": Refusal(
        "no such uploaded file, in the path or in a message",
        404,
        "not-found",
        "Cannot find file with ID {file}",
        "ASSUMED",
    ),
    "not a form": Refusal(
        "an upload that is no form with a `file`",
        400,
        "",
        "Error parsing `multipart/form-data` request: {problem}",
        "ASSUMED",
        "text",
    ),
    "bad lifetime": Refusal(
        f"`expires_after` of an upload outside {limits.MIN_FILE_SECONDS:,} to"
        f" {limits.MAX_FILE_SECONDS:,} seconds, or behind its `file`",
        400,
        "invalid-argument",
        "Invalid request content: expires_after must be a number of seconds between"
        f" {limits.MIN_FILE_SECONDS} and {limits.MAX_FILE_SECONDS}, in front of the file.",
        "DOC range, OBSERVED 2026-08 in vercel/ai #20038 that the order counts; ASSUMED text",
    ),
    "file too large": Refusal(
        "an upload of more than 50 MB",
        413,
        "",
        "<html><head><title>413 Request Entity Too Large</title></head></html>",
        "DOC status (DISPUTED: 48 MB elsewhere), ASSUMED body",
        "html",
    ),
    "unknown batch": Refusal(
        "no such batch",
        404,
        "not-found",
        "Cannot find batch with ID {batch}",
        "ASSUMED; the text is that of the tests of xAI's SDK for Python",
    ),
    "bad limit": Refusal(
        "`limit` of a list is no whole number from 1",
        400,
        "",
        "Failed to deserialize query string: limit: {limit}",
        "ASSUMED",
        "text",
    ),
    "bad pagination token": Refusal(
        "`pagination_token` of a list is none that it gave",
        400,
        "invalid-argument",
        "Invalid pagination token: {token}",
        "ASSUMED",
    ),
    "batch payload too large": Refusal(
        f"more than {limits.MAX_BATCH_PAYLOAD:,} bytes of requests added to a batch at once",
        413,
        "",
        "<html><head><title>413 Request Entity Too Large</title></head></html>",
        "DOC limit, ASSUMED answer",
        "html",
    ),
    "not JSON type": Refusal(
        "the body is not declared as JSON",
        415,
        "",
        "Expected request with `Content-Type: application/json`",
        "DOC status, ASSUMED text",
        "text",
    ),
    "not JSON": Refusal(
        "the body is not JSON",
        400,
        "",
        "Failed to parse the request body as JSON: {problem}",
        "OBSERVED; ASSUMED end of the text",
        "text",
    ),
    "wrong shape": Refusal(
        "a field is missing or of another type",
        422,
        "",
        "Failed to deserialize the JSON body into the target type: {problem}",
        "OBSERVED, on /v1/responses inside of JSON; ASSUMED end of the text",
        "text",
    ),
    "bad frame": Refusal(
        "the body of a call of gRPC is not one message",
        500,
        "",
        "Failed to read the message: {problem}.",
        "DOC gRPC status, ASSUMED text",
        "text",
    ),
    "not a message": Refusal(
        "the message of a call of gRPC can't be decoded",
        500,
        "",
        "Failed to decode the message: it is no {type}.",
        "DOC gRPC status, ASSUMED text",
        "text",
    ),
    "batch from a file": Refusal(
        "requests added to a batch that was made of a file",
        412,
        "failed-precondition",
        "Cannot add inline requests to a file-based batch",
        "OBSERVED 2026-08-28 in the BATCH NOTE; ASSUMED code",
    ),
    "batch request of another kind": Refusal(
        "a request in a batch other than `chat_get_completion` or `responses`, such as `image_edit`",
        400,
        "invalid-argument",
        "The fake server takes chat_get_completion and responses in a batch, and no {kind}.",
        "ASSUMED: xAI takes them, the fake does not",
    ),
    "batch ended": Refusal(
        "requests added to a batch that was cancelled or has expired",
        403,
        "permission-denied",
        "Batch {batch} {ended} and takes no more requests.",
        "OBSERVED 2026-08-28 in the BATCH NOTE: the status, of a cancelled one; ASSUMED the rest",
    ),
    "batch full": Refusal(
        "more than 256 MiB in a batch, by the fake's count of its requests and answers",
        413,
        "resource-exhausted",
        "The fake server keeps at most {most:,} bytes of a batch.",
        "no matter of xAI's",
    ),
    "batch request twice": Refusal(
        "a `batch_request_id` that the batch has for another request; the same one is no mistake",
        412,
        "failed-precondition",
        "batch_request_id '{request}' content differs from originally submitted",
        "OBSERVED 2026-08-28 in the BATCH NOTE; ASSUMED code",
    ),
    "model not for batches": Refusal(
        "a request added to a batch for a model that batches do not take",
        400,
        "invalid-argument",
        "Model {model} is not supported for batch processing.",
        "OBSERVED 2026-07-11, in xai-org/xai-sdk-python #176; ASSUMED code; by model, see the catalogue",
    ),
    "no messages": Refusal(
        "`messages` is empty",
        400,
        "400",
        "Bad data: Messages cannot be empty",
        "OBSERVED 2026",
    ),
    "stream and deferred": Refusal(
        "`stream` together with `deferred`",
        400,
        "",
        "A request may either be streaming or deferred, but not both.",
        "OBSERVED text, ASSUMED status",
        "string",
    ),
    "unknown model": Refusal(
        "no such model, anywhere but on /v1/responses",
        404,
        "not-found",
        "The model {model} does not exist or your team {team} does not have access to it."
        " If you believe this is a mistake, please contact support and quote your team ID"
        " and the model name.",
        "DOC 2026, OBSERVED with the code of 2025",
    ),
    "model not found": Refusal(
        "no such model, on /v1/responses",
        400,
        "invalid-argument",
        "Model not found: {model}",
        "OBSERVED 2026",
    ),
    "retired model": Refusal(
        "a model that was taken down",
        404,
        "not-found",
        "The model {model} was deprecated on {on} and is no longer accessible via the API."
        " Please use {use} instead.",
        "OBSERVED 2025-10-02",
    ),
    "image model": Refusal(
        "a model that makes images",
        400,
        "invalid-argument",
        "The model {model} is an image model and is therefore not available on this endpoint."
        " Please use a compatible endpoint such as https://api.x.ai/v1/images/generations."
        " For more information, see https://docs.x.ai/docs/api-reference#image-generation",
        "OBSERVED 2026",
    ),
    "live search": Refusal(
        "`search_parameters`, `web_search_options` and the tool `live_search`: live search is gone",
        410,
        "",
        "Live search is deprecated. Please switch to the Agent Tools API:"
        " https://docs.x.ai/docs/guides/tools/overview",
        "OBSERVED 2026-01-27, in langgenius/dify-official-plugins #2493, and in the STACK NOTE; ASSUMED"
        " of the tool",
        "bare",
    ),
    "unsupported argument": Refusal(
        "on /v1/responses: `instructions` together with `previous_response_id`, `background`,"
        " `include` of `web_search_call.results`, and `max_tokens` in place of `max_output_tokens`",
        400,
        "400",
        "Argument not supported: {argument}",
        "OBSERVED 2026-07-13 of instructions in 10-X-eng/vibecad #4 (DISPUTED in the STACK NOTE), and"
        " 2026-09-09 of include in earendil-works/pi #9385; of the others in the STACK NOTE, with ASSUMED"
        " text",
    ),
    "unsupported parameter": Refusal(
        "a parameter that this model does not take",
        400,
        "invalid-argument",
        "Argument not supported on this model: {parameter}",
        "OBSERVED 2026; by model, see the catalogue",
    ),
    "unknown effort": Refusal(
        "`reasoning_effort` or `reasoning.effort` that there is not",
        400,
        "invalid-argument",
        "Invalid reasoning effort.",
        "OBSERVED 2026-07-09 in GulLabs/any-llm, of /v1/responses",
    ),
    "unsupported effort": Refusal(
        "`none` as the effort of a model that always thinks",
        400,
        "invalid-argument",
        "This model does not support `reasoning_effort` value `{effort}`.",
        "OBSERVED 2026-07-09 and 2026-08-24 in GulLabs/any-llm; by model, see the catalogue",
    ),
    "no tokens": Refusal(
        "`max_tokens`, `max_completion_tokens` or `max_output_tokens` below 1",
        400,
        "invalid-argument",
        "Maximum number of tokens {parameter} must be positive but {parameter} = {value}",
        "OBSERVED 2026-08-29 in the BATCH NOTE, of max_tokens; ASSUMED of the others",
    ),
    "parameter out of range": Refusal(
        "`temperature` outside 0 to 2, a penalty outside -2 to 2, `top_p` outside 0 to 1,"
        " `n` outside 1 to 128, more than"
        f" {limits.MAX_STOP_SEQUENCES} `stop`, more than {limits.MAX_TOOLS} tools",
        400,
        "invalid-argument",
        "Invalid request content: {parameter} must be {range}.",
        "DOC ranges, ASSUMED text",
    ),
    "tool_choice without tools": Refusal(
        "`tool_choice` without `tools`",
        400,
        "invalid-argument",
        "Invalid request content: A tool_choice was set on the request but no tools were specified.",
        "OBSERVED 2026",
    ),
    "unknown tool": Refusal(
        "`tool_choice` names a function that is not among the tools",
        400,
        "invalid-argument",
        "Invalid request content: A tool_choice names {tool}, which is not among the tools.",
        "ASSUMED",
    ),
    "no content": Refusal(
        "a message without content",
        400,
        "invalid-argument",
        "Invalid request content: Each message must have at least one content element.",
        "OBSERVED 2026",
    ),
    "bad tool arguments": Refusal(
        "on /v1/responses: a `function_call` whose `arguments` are no JSON object",
        400,
        "invalid-argument",
        "expected JSON object for tool arguments",
        "OBSERVED 2026 in users' reports, such as the xAI executor of a fork of CLIProxyAPI; ASSUMED code",
    ),
    "empty text": Refusal(
        "an empty text part in a user's message",
        400,
        "invalid-argument",
        "Invalid request content: Text content is empty.",
        "ASSUMED after the row above",
    ),
    "misplaced image": Refusal(
        "a part `image_url` on /v1/responses, or `input_image` on chat completions",
        400,
        "invalid-argument",
        "Invalid request content: Empty content block.",
        "OBSERVED 2026-09-12 in the STACK NOTE, of the last three words; ASSUMED the rest",
    ),
    "unknown part": Refusal(
        "a part that is neither a text nor an image",
        400,
        "invalid-argument",
        "Invalid request content: Content part of type {type} is not supported.",
        "ASSUMED",
    ),
    "text-only model": Refusal(
        "an image for a model that reads text only",
        400,
        "invalid-argument",
        "Invalid request content: Image inputs are not supported by this model.",
        "OBSERVED 2026",
    ),
    "unknown detail": Refusal(
        "`detail` is another word than auto, low, high",
        400,
        "invalid-argument",
        "Invalid request content: detail must be one of {details}, got {detail}.",
        "DISPUTED: DOC values; the live service was seen (2026) to accept any word",
    ),
    "fetch failed": Refusal(
        "the address of an image answers with an error",
        400,
        "invalid_image",
        _UNABLE + "Fetching image failed with HTTP status {status}.",
        "OBSERVED 2026 text, ASSUMED code",
        named_over_grpc="DATA_LOSS",
    ),
    "unreachable": Refusal(
        "the address of an image has no answer, or redirects too often",
        400,
        "invalid_image",
        _UNABLE + "Fetching image failed.",
        "ASSUMED",
        named_over_grpc="DATA_LOSS",
    ),
    "fetch timeout": Refusal(
        "the address of an image does not answer in 5 seconds",
        400,
        "invalid_image",
        _UNABLE + "Fetching image timed out.",
        "DOC limit, ASSUMED text",
        named_over_grpc="DATA_LOSS",
    ),
    "fetch not allowed": Refusal(
        "an address of this network that --allow-host does not name",
        400,
        "invalid_image",
        _UNABLE + "The host {host} is not allowed.",
        "ASSUMED",
        named_over_grpc="DATA_LOSS",
    ),
    "fetched type": Refusal(
        "the address of an image answers with another content type",
        400,
        "invalid_image",
        _UNABLE + "Unsupported content-type encountered when downloading image."
        " The only supported content types are {types}",
        "OBSERVED 2026 text, ASSUMED code",
        named_over_grpc="DATA_LOSS",
    ),
    "image too large": Refusal(
        "an image of more than 20 MiB (20,971,520 bytes, decoded)",
        400,
        "invalid_image",
        "Image has {size} bytes, which is above the maximum of {limit} bytes.",
        "DOC limit (DISPUTED: 10 and 25 MiB elsewhere), ASSUMED text",
    ),
    "bad base64": Refusal(
        "an inline image that is no data URL, or not base64",
        400,
        "invalid_image",
        "Base64 string of provided image cannot be decoded.",
        "OBSERVED 2026",
    ),
    "not an image": Refusal(
        "bytes that are neither JPEG nor PNG, whatever type is declared",
        400,
        "invalid_image",
        "Downloaded response does not contain a valid JPG or PNG image.",
        "OBSERVED 2025 text, then with status 412; DOC types (DISPUTED: since 2026 WebP and ICO too)",
    ),
    "not an image of four types": Refusal(
        "with `--contract observed`, bytes that are no JPEG, PNG, WebP or ICO",
        400,
        "invalid_image",
        "Downloaded response does not contain a valid JPG, PNG, WebP, or ICO image.",
        "OBSERVED 2026",
    ),
    "damaged PNG": Refusal(
        "a PNG that is cut short or fails its checksums",
        400,
        "invalid_image",
        "Invalid PNG image.",
        "OBSERVED 2026",
    ),
    "damaged JPEG": Refusal(
        "a JPEG that is cut short",
        400,
        "invalid_image",
        "Invalid JPEG image.",
        "ASSUMED after the PNG's",
    ),
    "damaged WebP": Refusal(
        "with `--contract observed`, a WebP that is cut short",
        400,
        "invalid_image",
        "Invalid WebP image.",
        "ASSUMED after the PNG's",
    ),
    "damaged ICO": Refusal(
        "with `--contract observed`, an ICO that is cut short",
        400,
        "invalid_image",
        "Invalid ICO image.",
        "ASSUMED after the PNG's",
    ),
    "side too small": Refusal(
        "an image with a side of less than 8 pixels",
        400,
        "invalid_image",
        "Image dimensions {width}x{height} are too small."
        " Both width and height must be at least 8 pixels.",
        "OBSERVED 2026",
    ),
    "area too small": Refusal(
        "an image of less than 512 pixels in all",
        400,
        "invalid_image",
        "Image has {pixels} total pixels ({width}x{height}),"
        " which is below the minimum of 512 pixels.",
        "OBSERVED 2026",
    ),
    "area too large": Refusal(
        "an image of more than 178,956,970 pixels",
        400,
        "invalid_image",
        "Image has {pixels} total pixels ({width}x{height}),"
        " which is above the maximum of 178956970 pixels.",
        "OBSERVED 2026 limit, ASSUMED text",
    ),
    "bad schema": Refusal(
        "a JSON schema that is none, for the answer or for a tool that has to be called",
        400,
        "invalid-argument",
        "Invalid request content: Invalid JSON schema.",
        "ASSUMED",
    ),
    "context overflow": Refusal(
        "more text than the model's context, by the fake's count; images do not count here,"
        " because the guide sets no limit to them",
        400,
        "invalid-argument",
        "This model's maximum prompt length is {limit} but the request contains {tokens} tokens.",
        "OBSERVED 2026-01-16 text, ASSUMED code of 2026",
    ),
    "error in a test's function": Refusal(
        "a function of the test that was to answer raises an error",
        500,
        "internal",
        "The function of the test raised {problem}",
        "no matter of xAI's",
    ),
    "state lost": Refusal(
        "the Redis of --state can't be used",
        503,
        "unavailable",
        "The fake server can't answer: {problem}",
        "no matter of xAI's",
    ),
    "too many requests": Refusal(
        "more requests a minute than --requests-per-minute",
        429,
        "resource-exhausted",
        "Too many requests for team {team} and model {model}. Your team's rate limit is"
        " \N{EM DASH} Requests per Minute (actual/limit): {actual}/{limit}." + _LIMITS_PAGE,
        "OBSERVED 2025 of tokens, ASSUMED of requests; the limit is a setting",
    ),
    "too many tokens": Refusal(
        "more tokens a minute than --tokens-per-minute",
        429,
        "resource-exhausted",
        _TOO_MANY_TOKENS + "{actual}/{limit}." + _LIMITS_PAGE,
        "OBSERVED 2025 text; the limit is a setting",
    ),
}


def refuse(name: str, **blanks: object) -> ApiError:
    """Make the error of a row, with the blanks of its text filled in."""
    row = REFUSALS[name]
    text, why = row.text.format(**blanks), f"{row.when} ({row.evidence})"
    return ApiError(row.status, row.code, text, shape=row.shape, grpc=row.grpc, why=why)


# What `FakeServer.fail` answers unless told, for what no request provokes by itself.
FAILURES: dict[int, tuple[str, str]] = {
    # OBSERVED 2026
    400: ("invalid-argument", "Invalid request content."),
    401: (REFUSALS["no key"].code, REFUSALS["no key"].text),
    # OBSERVED 2026
    403: (
        "permission-denied",
        (
            "Your newly created team doesn't have any credits or licenses yet."
            " You can purchase those on https://console.x.ai."
        ),
    ),
    404: ("not-found", "The requested resource was not found."),
    # OBSERVED 2025 of grok-4-0709, the numbers too; the code is that of 2026
    429: ("resource-exhausted", _TOO_MANY_TOKENS + "65605/16000." + _LIMITS_PAGE),
    # OBSERVED 2026-03-02
    503: (
        "The service is currently unavailable",
        (
            "Service temporarily unavailable. The model is at capacity and currently cannot"
            " serve this request. Please try again later."
        ),
    ),
}
