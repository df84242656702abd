"""`contract="observed"`: what the service was seen to do, where that is not what xAI documents.

Numbers of tokens are recorded ones, of the model and the size that they are of.
"""

import io
import json
from collections.abc import Iterator
from contextlib import suppress

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_server import FakeServer
from fake_server.accounting import count_patches
from fake_server.contract import OBSERVED
from fake_server.images import read
from fake_server.refusals import ApiError
from tests.asking import body, image, input_image, post, prompt, respond, text
from tests.pictures import data_url, picture, png_of_bytes
from tests.protocols import EVERY


@pytest.fixture(scope="module")
def seen() -> Iterator[FakeServer]:
    with FakeServer(contract="observed") as server:
        yield server


@pytest.fixture
def server(seen: FakeServer) -> FakeServer:
    seen.clear()
    return seen


# A model, a size, a detail, and the image_tokens that the service reported.
TOKENS = [
    pytest.param("grok-2-vision-1212", (128, 128), None, 256, id="observed-grok-2-vision-small"),
    pytest.param("grok-2-vision-1212", (239, 178), None, 256, id="observed-grok-2-vision"),
    pytest.param(
        "grok-2-vision-1212", (1280, 1014), "high", 1792, id="observed-grok-2-vision-high"
    ),
    pytest.param("grok-4-0709", (1200, 900), "low", 256, id="observed-grok-4-low"),
    pytest.param("grok-4-fast-non-reasoning", (597, 566), "auto", 256, id="observed-grok-4-fast"),
    pytest.param(
        "grok-4-1-fast-non-reasoning", (400, 301), "auto", 256, id="observed-grok-4-1-fast"
    ),
    pytest.param("grok-4.3", (128, 128), None, 18, id="observed-grok-4.3-small"),
    pytest.param("grok-4.3", (239, 178), None, 50, id="observed-grok-4.3"),
    pytest.param("grok-4.5", (800, 400), None, 327, id="observed-grok-4.5"),
    pytest.param("grok-4.3", (239, 178), "low", 50, id="assumed-grok-4.3-low"),
    pytest.param("grok-4.6", (1024, 1024), "high", 1026, id="observed-grok-4.6-high"),
    pytest.param("grok-4.6", (1024, 1024), "low", 258, id="observed-grok-4.6-low"),
]


@pytest.mark.parametrize(("model", "size", "detail", "tokens"), TOKENS)
def test_an_image_costs_what_it_was_seen_to(model, size, detail, tokens):
    given = {} if detail is None else {"detail": detail}

    # Models that count tiles have been retired since, and grok-4.3 answers for them.
    era = "2026-08" if model > "grok-4.2" else "2026-02"
    with FakeServer(contract="observed", era=era) as server:
        answer = post(server, body(image(data_url(picture(*size)), **given), model=model))

    assert answer.json()["usage"]["prompt_tokens_details"]["image_tokens"] == tokens
    assert server.requests[0].images[0].tokens == tokens


@given(st.integers(8, 5000), st.integers(64, 5000))
def test_patches_cover_an_image_and_no_more(width, height):
    columns, rows = len(range(0, width, 32)), len(range(0, height, 32))

    assert count_patches(width, height, "high") == columns * rows
    assert count_patches(width, height, "auto") == columns * rows


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY)
def test_it_holds_for_whoever_asks(server, ask):
    got = ask(server, body(image(data_url(picture(239, 178))), model="grok-4.3"))

    assert got.prompt_tokens == 50
    assert "48 patches, 50 tokens" in got.text


def test_any_detail_is_taken_and_an_unknown_one_is_auto(server):
    answer = post(server, body(image(data_url(picture(64, 64)), detail="original")))

    assert answer.status_code == 200
    assert server.requests[0].images[0].detail == "auto"


@pytest.mark.parametrize("choice", ["requird", {"type": "function", "function": {"name": "fly"}}])
def test_a_choice_of_a_tool_that_is_not_there_is_auto(server, choice):
    """OBSERVED 2026-09-12 in the STACK NOTE."""
    look = {"type": "function", "function": {"name": "look", "parameters": {}}}

    answer = post(server, body(tools=[look], tool_choice=choice))

    assert answer.json()["choices"][0]["finish_reason"] == "stop"


def test_a_stream_carries_no_usage_unless_it_is_asked_for(server):
    def chunks(**fields):
        lines = post(server, body(stream=True, **fields)).text.splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    assert not any("usage" in chunk for chunk in chunks())
    *others, last = chunks(stream_options={"include_usage": True})
    assert not any("usage" in chunk for chunk in others)
    assert (last["choices"], last["usage"]["prompt_tokens"]) == ([], 1)


def streamed(server: FakeServer, **fields):
    lines = post(server, body(stream=True, **fields)).text.splitlines()
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return [choice for chunk in chunks for choice in chunk["choices"]]


@pytest.fixture
def early() -> Iterator[FakeServer]:
    with FakeServer(contract="observed", era="2025-10") as server:
        yield server


def test_a_model_that_thinks_without_a_word_sends_empty_deltas_meanwhile(early):
    early.reply("A boat.", usage={"reasoning_tokens": 40})

    deltas = [choice["delta"] for choice in streamed(early)]

    assert deltas == [{"role": "assistant"}, {}, {"content": "A"}, {"content": " boat."}, {}]


def test_a_model_that_says_nothing_after_it_thought_streams_an_empty_text(early):
    early.reply(reasoning="Hm.", finish_reason="length")

    deltas = [choice["delta"] for choice in streamed(early, model="grok-3-mini")]

    assert deltas == [{"reasoning_content": "Hm.", "role": "assistant"}, {"content": ""}, {}]


def test_the_last_delta_of_grok_2_has_the_calls(early):
    early.reply("Well.", tool_calls=[("tide", {})])

    first, last = streamed(early, model="grok-2-1212")

    assert first["delta"] == {"content": "Well.", "role": "assistant"}
    assert last["finish_reason"] == "tool_calls"
    assert last["delta"]["tool_calls"][0]["function"]["name"] == "tide"


def test_the_role_stands_before_calls_and_behind_words(server):
    server.reply(tool_calls=[("tide", {})])
    server.reply("Well.")

    calls, words = (streamed(server, model="grok-4.3")[0]["delta"] for _ in range(2))

    assert list(calls) == ["role", "tool_calls"]
    assert list(words) == ["content", "role"]


NAMED = [
    pytest.param({"model": "grok-3-fast"}, "grok-3", id="observed-fast"),
    pytest.param({"model": "grok-3-mini-fast-latest"}, "grok-3-mini", id="observed-mini-fast"),
    pytest.param(
        {"model": "grok-3-mini", "reasoning_effort": "high"}, "grok-3-mini-high", id="observed-high"
    ),
    pytest.param(
        {"model": "grok-3-mini", "reasoning_effort": "low"}, "grok-3-mini", id="observed-low"
    ),
    pytest.param({"model": "grok-4"}, "grok-4-0709", id="observed-alias"),
]


@pytest.mark.parametrize(("asked", "model"), NAMED)
def test_an_answer_names_the_model_that_it_was_seen_to_name(early, asked, model):
    assert post(early, body(**asked)).json()["model"] == model


def test_the_helper_of_openai_streams_without_usage(server):
    with (
        openai.OpenAI(base_url=server.url, api_key="any") as client,
        client.chat.completions.stream(
            model="grok-4", messages=[{"role": "user", "content": "Hello"}]
        ) as stream,
    ):
        answer = stream.get_final_completion()

    assert answer.choices[0].message.content == "The fake server saw no image."
    assert answer.usage is None


@pytest.mark.parametrize("kind", ["WEBP", "ICO"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (48, 48), (256, 256)])
def test_two_more_types_are_taken(server, kind, width, height):
    answer = post(server, body(image(data_url(picture(width, height, kind), "image/png"))))

    assert answer.status_code == 200, answer.text
    one = server.requests[0].images[0]
    assert (one.format.upper(), one.width, one.height) == (kind, width, height)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("animated", [False, True])
def test_every_kind_of_webp_is_read_as_pillow_reads_it(lossless, mode, animated):
    picture = Image.new(mode, (301, 77), 128)
    more = {"save_all": True, "append_images": [picture.rotate(180)]} if animated else {}
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=lossless, **more)

    one = read(file.getvalue(), contract=OBSERVED)

    assert (one.format, one.width, one.height) == ("WebP", 301, 77)


@pytest.mark.parametrize("kind", ["WEBP", "ICO"])
def test_one_of_them_that_is_cut_is_refused(server, kind):
    answer = post(server, body(image(data_url(picture(64, 64, kind)[:-1]))))

    name = {"WEBP": "WebP"}.get(kind, kind)
    assert answer.json() == {"code": "invalid_image", "error": f"Invalid {name} image."}


DAMAGED = [
    pytest.param(b"RIFF\x04\0\0\0WEBP", id="webp-of-nothing"),
    pytest.param(b"RIFF\x04\0\0\0WAVE", id="sound"),
    pytest.param(b"RIFF\x16\0\0\0WEBPXXXX" + bytes(14), id="webp-of-another-kind"),
    pytest.param(b"\0\0\1\0\0\0", id="ico-of-nothing"),
    pytest.param(b"\0\0\1\0\xff\xff" + bytes(20), id="ico-of-too-much"),
]


@pytest.mark.parametrize("data", DAMAGED)
def test_what_only_looks_like_one_is_refused(data):
    with pytest.raises(ApiError, match="Invalid"):
        read(data, contract=OBSERVED)


@given(st.binary(max_size=64), st.sampled_from([b"RIFF", b"\0\0\1\0"]))
def test_no_bytes_behind_their_marks_do_harm(rest, mark):
    with suppress(ApiError):
        one = read(mark + rest, contract=OBSERVED)
        assert one.width * one.height >= 512


def test_other_types_are_refused_with_the_newest_words(server):
    answer = post(server, body(image(data_url(picture(64, 64, "GIF")))))

    assert answer.json() == {
        "code": "invalid_image",
        "error": "Downloaded response does not contain a valid JPG, PNG, WebP, or ICO image.",
    }


def test_an_image_may_have_25_mebibytes(server):
    fits = respond(server, prompt(input_image(data_url(png_of_bytes(25 * 1024**2)))))
    above = respond(server, prompt(input_image(data_url(png_of_bytes(25 * 1024**2 + 1)))))

    assert fits.status_code == 200
    assert above.json()["error"] == (
        "Image has 26214401 bytes, which is above the maximum of 26214400 bytes."
    )


def test_a_body_may_have_50_mebibytes(server):
    answer = post(server, body(text("a" * 50 * 1024**2)))

    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html")


def test_a_body_may_have_more_if_one_says_so():
    with FakeServer(contract="observed", max_body=60 * 1024**2) as server:
        answer = post(server, body(text("a" * 50 * 1024**2)))

    assert answer.status_code == 200
