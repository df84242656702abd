"""Where the fake and xAI differ, or may: each with the test that shows what the fake does.

The page `fake_server/DEVIATIONS.md` is made of these rows.
"""

from typing import NamedTuple


class Choice(NamedTuple):
    """Something that the two contracts do otherwise, and how the second is known."""

    what: str
    documented: str
    observed: str
    evidence: str
    test: str


class Deviation(NamedTuple):
    """What the fake does where nobody knows what xAI does, or what it leaves out."""

    what: str
    label: str
    test: str


CHOICES = (
    Choice(
        "size of an image",
        "20 MiB",
        "25 MiB",
        "OBSERVED 2025-12",
        "test_fake_observed.py::test_an_image_may_have_25_mebibytes",
    ),
    Choice(
        "request body",
        "1 GiB, which is the fake's own limit",
        "50 MiB, then 413",
        "OBSERVED 2025-12",
        "test_fake_observed.py::test_a_body_may_have_50_mebibytes",
    ),
    Choice(
        "types of images",
        "JPEG, PNG",
        "WebP and ICO too",
        "OBSERVED 2026",
        "test_fake_observed.py::test_two_more_types_are_taken",
    ),
    Choice(
        "`detail`",
        "`auto`, `low`, `high`",
        "any word; an unknown one is `auto`",
        "OBSERVED 2026",
        "test_fake_observed.py::test_any_detail_is_taken_and_an_unknown_one_is_auto",
    ),
    Choice(
        "`tool_choice`",
        "names a tool that is there",
        "any word; an unknown one is `auto`",
        "OBSERVED 2026-09-12",
        "test_fake_observed.py::test_a_choice_of_a_tool_that_is_not_there_is_auto",
    ),
    Choice(
        "tokens of an image, on models that count tiles",
        "(tiles + 1) * 256, `low` 256",
        "so at `high`, else 256",
        "OBSERVED 2025-10 to 2026-02",
        "test_fake_observed.py::test_an_image_costs_what_it_was_seen_to",
    ),
    Choice(
        "tokens of an image, on models that count patches",
        "the same",
        "width / 32 * height / 32, each rounded up, + 2; at `low` the longer side is 512",
        "OBSERVED 2026, ASSUMED how `low` is rounded",
        "test_fake_observed.py::test_an_image_costs_what_it_was_seen_to",
    ),
    Choice(
        "retired models",
        "answer under their names",
        "since June 2026 grok-4.3 answers for them",
        "OBSERVED 2026",
        "test_fake_eras.py::test_a_retired_model_is_answered_for_by_another",
    ),
    Choice(
        "usage in a stream that asked for none",
        "on every chunk",
        "none",
        "OBSERVED in 86 of 86 streams",
        "test_fake_observed.py::test_a_stream_carries_no_usage_unless_it_is_asked_for",
    ),
)

DEVIATIONS = (
    Deviation(
        "Text tokens are counted one a word: xAI's tokenizer and hidden prompts are not public",
        "ASSUMED",
        "test_fake_small_paths.py::test_a_text_is_cut_into_tokens",
    ),
    Deviation(
        "`low` costs the extra tile alone, 256 tokens; `auto` sees what `high` sees",
        "ASSUMED",
        "test_fake_images.py::test_an_image_costs_what_the_guide_says",
    ),
    Deviation(
        "A request that is wrong in two ways is refused for the row that stands higher",
        "ASSUMED",
        "test_fake_precedence.py::test_the_earlier_of_two_faults_is_answered",
    ),
    Deviation(
        "Ids, dates and timings are made of the request; dates are those of a fixed clock",
        "left out",
        "test_fake_determinism.py::test_the_same_request_is_answered_with_the_same_bytes",
    ),
    Deviation(
        "An address of an image that nobody mapped is answered by a built-in picture",
        "left out",
        "test_fake_sources.py::test_any_other_address_is_the_placeholder",
    ),
    Deviation(
        "Rate limits stand in the headers and never run out, unless they were set",
        "left out",
        "test_fake_rates.py::test_without_limits_the_headers_stay_as_recorded",
    ),
    Deviation(
        "A minute of a rate limit begins with its first request; the words for too many requests",
        "ASSUMED",
        "test_fake_rates.py::test_a_minute_later_a_limit_begins_anew",
    ),
    Deviation(
        "A 429 has no Retry-After, which was never seen, unless a script gives it one",
        "ASSUMED",
        "test_fake_scenario.py::test_a_failure_is_the_exception_of_its_status",
    ),
    Deviation(
        "A browser is told that a page of any site may ask; its question was never recorded",
        "ASSUMED",
        "test_fake_browsers.py::test_a_browser_that_asks_whether_a_page_may_ask_is_told_so_without_a_key",
    ),
    Deviation(
        "An error inside a stream is `data: {code, error}`; a response has an event `error`",
        "ASSUMED",
        "test_fake_faults.py::test_an_error_inside_a_stream_is_an_api_error",
    ),
    Deviation(
        "A refusal of the model has the shapes of OpenAI's API; elsewhere it is the text",
        "ASSUMED",
        "test_protocols.py::test_a_refusal_of_the_model_is_told_to_whoever_asks",
    ),
    Deviation(
        "xAI's own tools are offered and never run: a script says what they found",
        "left out",
        "test_fake_server_tools.py::test_a_tool_that_is_offered_is_not_used_unasked",
    ),
    Deviation(
        "The newest 1,000 stored answers are kept, with 64 MiB of images and texts",
        "left out",
        "test_fake_stored.py::test_the_oldest_answers_go_when_there_are_too_many",
    ),
    Deviation(
        "A deferred answer is pending when it is first asked for; the newest 1,000 wait,"
        " with 64 MiB of texts",
        "ASSUMED",
        "test_fake_deferred.py::test_it_is_pending_at_first_then_there_and_then_gone",
    ),
    Deviation(
        "The newest 10,000 files are kept, 256 MiB in all; one that a message names has to be an"
        " image",
        "left out",
        "test_fake_files.py::test_the_oldest_files_go_when_they_are_too_large",
    ),
    Deviation(
        "A batch, and the file of one, takes `chat_get_completion` and `responses`, and no images"
        " or videos to be made",
        "left out",
        "test_fake_batches_refused.py::test_a_row_of_batches_is_refused_with_its_status_and_words",
    ),
    Deviation(
        "The newest 1,000 batches are kept, 256 MiB in all: a request takes 2 KB and its answer;"
        " one batch alone takes no more",
        "left out",
        "test_fake_room.py::test_the_oldest_batches_go_when_there_are_too_many",
    ),
    Deviation(
        "A request in a batch costs 80 % of its price, as one was seen to",
        "OBSERVED once",
        "test_fake_batches.py::test_a_request_in_a_batch_costs_80_percent",
    ),
    Deviation(
        "Requests are answered when they are added, and what is cancelled stays so; at xAI some were"
        " seen to succeed seconds after that",
        "OBSERVED once",
        "test_fake_batches.py::test_what_is_cancelled_has_an_error_for_a_result",
    ),
    Deviation(
        "What is pending when a batch expires is cancelled, without a result; `expire_time` is"
        " 2099-12-31",
        "DOC, ASSUMED that there is no result",
        "test_fake_batches.py::test_a_batch_that_expires_cancels_what_is_pending",
    ),
    Deviation(
        "Over gRPC most mistakes have the words of HTTP, with the status that goes with its own",
        "ASSUMED",
        "test_protocols.py::test_grpc_refuses_it_with_the_status_for_it",
    ),
    Deviation(
        "/v1/messages streams, stops and thinks as Anthropic's own API does",
        "ASSUMED",
        "test_fake_messages.py::test_the_events_come_in_order",
    ),
    Deviation(
        "/v1/tokenize-text refuses a text that is too long for the model, as a chat would",
        "ASSUMED",
        "test_fake_small_paths.py::test_a_text_that_is_too_long_for_the_model_is_not_cut",
    ),
    Deviation(
        "/v1/models leaves out the capabilities that OPENAPI names since it was recorded",
        "left out",
        "test_fake_models.py::test_a_model_is_told_as_it_was_on_12_august_2026",
    ),
    Deviation(
        "Whoever asks for `service_tier` priority gets it, and is billed for it",
        "ASSUMED",
        "test_fake_tiers.py::test_an_answer_that_came_first_costs_what_it_did",
    ),
    Deviation(
        "A prompt is long by all of its tokens, those of images and cached ones among them",
        "ASSUMED",
        "test_fake_usage.py::test_images_make_a_prompt_long_too",
    ),
    Deviation(
        "Of efforts that are not documented for a model only `none` is refused, as it was seen to be",
        "OBSERVED",
        "test_fake_parameters.py::test_another_effort_than_the_documented_ones_is_taken",
    ),
    Deviation(
        "/v1/completions is answered by every language model, /v1/embeddings by none",
        "ASSUMED",
        "test_fake_small_paths.py::test_a_text_is_completed",
    ),
)
