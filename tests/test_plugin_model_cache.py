"""Models that xAI listed and the catalogue lacks; whatever stands in the file, `llm` works."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_grok_vision import known, plugin
from llm_grok_vision.catalogue import vision_models
from llm_grok_vision.errors import UnsupportedOption
from llm_grok_vision.estimate import find_model
from tests.prompting import (
    BOTH,
    ask,
    body_of,
    run_llm,
    run_process,
    shown_error,
    whole,
    xai_answering,
)
from tests.raw_server import RawServer

# In the shape of xAI's answers (OPENAPI); nobody has seen this model.
GROK_5: dict[str, Any] = {
    "id": "grok-5",
    "aliases": ["grok-5-latest", "latest"],
    "input_modalities": ["text", "image"],
    "prompt_text_token_price": 40000,
    "completion_text_token_price": 125000,
    "context_length": 2000000,
    "capabilities": {"reasoning_effort": ["low", "high"], "default_reasoning_effort": "low"},
}
CATALOGUE = [f"xai/{model.name}" for model in vision_models()]

Keep = Callable[..., None]


@pytest.fixture
def file(own_llm_folder: Path) -> Path:
    """Where the last list is kept."""
    return own_llm_folder / "grok_vision_models.json"


@pytest.fixture
def keep(file: Path) -> Keep:
    """Keep these rows, as `llm grok-vision refresh` does."""

    def write(*rows: Any) -> None:
        file.write_text(json.dumps({"models": rows}))

    return write


def registered() -> dict[str, tuple[str, ...]]:
    """Register, and give each id with its aliases."""
    found: dict[str, tuple[str, ...]] = {}

    def register(model: llm.Model, async_model: llm.AsyncModel, aliases: tuple[str, ...]) -> None:
        assert model.model_id == async_model.model_id
        assert model.model_id not in found
        found[model.model_id] = aliases

    plugin.register_models(register)
    return found


WITHOUT_A_LIST = {f"xai/{model.name}": plugin.llm_aliases(model) for model in vision_models()}


@BOTH
def test_a_model_that_only_the_list_has_is_asked_by_its_id(kind: str, keep: Keep):
    keep(GROK_5)

    with xai_answering(whole(content="ok")) as server:
        answer = ask(kind, "Hello", model="xai/grok-5")

    assert answer.text == "ok"
    assert body_of(server.requests[0])["model"] == "grok-5"


def test_it_has_the_names_that_say_whose_it_is(keep: Keep):
    keep(GROK_5)

    assert registered() == {**WITHOUT_A_LIST, "xai/grok-5": ("grok-5", "grok-5-latest")}


def test_it_costs_what_xai_says(keep: Keep):
    keep(GROK_5)

    model = find_model("xai/grok-5-latest")

    assert (model.prompt_price, model.completion_price) == (4, 12.5)
    assert (model.context_length, model.accounting, model.is_current) == (2000000, "patches", True)


def test_it_is_listed_and_counts_tokens(keep: Keep, photo: Path):
    keep(GROK_5)

    models = run_llm("grok-vision", "models").stdout.splitlines()
    tokens = run_llm("grok-vision", "tokens", photo, "-m", "grok-5", "--json")

    assert models[-1].split() == ["xai/grok-5", "2,000,000", "4", "12.5", "patches", "current"]
    # 42 * 28 patches and two more, at 4 dollars a million.
    row, *_ = json.loads(tokens.stdout)
    assert (row["tokens"], row["usd"]) == (1178, 0.004712)


def test_what_xai_does_not_say_is_a_question_mark(keep: Keep, photo: Path):
    keep({"id": "grok-5", "input_modalities": ["image"]})

    models = run_llm("grok-vision", "models").stdout.splitlines()
    tokens = run_llm("grok-vision", "tokens", photo, "-m", "grok-5").stdout.splitlines()

    assert models[-1].split() == ["xai/grok-5", "?", "?", "?", "patches", "current"]
    assert tokens[-1].split()[-2:] == ["1,178", "?"]


EFFORTS = [
    pytest.param({"reasoning_effort": ["low", "high"]}, "low", None, id="listed"),
    pytest.param(
        {"reasoning_effort": ["low", "high"]},
        "medium",
        "grok-5 takes reasoning_effort low or high, not medium, which"
        " xai/grok-4.7, xai/grok-4.6 and xai/grok-4.5 take.",
        id="not-listed",
    ),
    pytest.param(
        {"reasoning_effort": []},
        "low",
        "grok-5 takes no reasoning_effort; xai/grok-4.7, xai/grok-4.6 and xai/grok-4.5 do.",
        id="none-at-all",
    ),
    pytest.param(None, "anything", None, id="not-said"),
    pytest.param({"reasoning_effort": None}, "anything", None, id="null"),
    pytest.param({"reasoning_effort": [{"is": "low"}]}, "anything", None, id="not-in-words"),
]


@pytest.mark.parametrize(("capabilities", "effort", "refusal"), EFFORTS)
def test_its_efforts_are_those_that_xai_lists(
    keep: Keep, capabilities: Any, effort: str, refusal: str | None
):
    keep({**GROK_5, "capabilities": capabilities})
    model = llm.get_model("xai/grok-5")

    with xai_answering(whole(content="ok")) as server:
        if refusal:
            with pytest.raises(UnsupportedOption) as caught:
                model.prompt("Hello", reasoning_effort=effort).text()
            assert str(caught.value) == refusal
        else:
            model.prompt("Hello", reasoning_effort=effort).text()
            assert body_of(server.requests[0])["reasoning_effort"] == effort


def test_it_is_named_as_one_that_takes_what_another_refuses(keep: Keep):
    keep(GROK_5)

    asked = ("-o", "presence_penalty", "1", "--key", "any")
    said = shown_error(run_llm("-m", "grok-4.6", "Hello", *asked))

    assert said == "Error: grok-4.6 takes no presence_penalty; xai/grok-5 does.\n"


NOT_TAKEN_OVER = [
    pytest.param({"id": "grok-4"}, id="a-name-of-the-catalogue"),
    pytest.param({"id": "grok-4-0709"}, id="an-id-of-the-catalogue"),
    pytest.param({"id": "grok-latest"}, id="an-alias-of-the-catalogue"),
    pytest.param({"id": "grok-3", "input_modalities": ["text"]}, id="reads-text-only"),
]


@pytest.mark.parametrize("row", NOT_TAKEN_OVER)
def test_what_is_known_or_reads_no_images_is_left_as_it_is(keep: Keep, row: dict[str, Any]):
    keep({**GROK_5, **row})

    assert registered() == WITHOUT_A_LIST


def test_an_alias_goes_to_the_catalogue_then_to_an_id_then_to_the_first(keep: Keep):
    keep(
        {**GROK_5, "aliases": ["grok-4", "grok-4-latest", "grok-6", "grok-next", "grok-next"]},
        {**GROK_5, "id": "grok-6", "aliases": ["grok-next", "grok-5", "grok-six"]},
    )

    assert registered() == {
        **WITHOUT_A_LIST,
        "xai/grok-5": ("grok-5", "grok-next"),
        "xai/grok-6": ("grok-6", "grok-six"),
    }
    assert llm.get_model("grok-4-latest").model_id == "xai/grok-4"


def test_a_model_of_another_company_gets_no_name_without_ours(keep: Keep):
    """XAI_API_BASE may lead to a service with models of many."""
    keep({**GROK_5, "id": "gpt-4o", "aliases": ["4o"]})

    assert registered()["xai/gpt-4o"] == ()
    assert llm.get_model("gpt-4o").model_id == "gpt-4o"


HUGE = json.dumps({"models": [GROK_5], "more": "x" * 1024**2}).encode()
BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{oops", id="no-json"),
    pytest.param(json.dumps({"models": [GROK_5]}).encode()[:-20], id="cut-short"),
    pytest.param(b"\xff\xfe\x00", id="no-text"),
    pytest.param(b"\x00" * 1000, id="zeros-after-a-crash"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="a-list"),
    pytest.param(b'{"models": null}', id="models-null"),
    pytest.param(b'{"models": {"grok-5": {}}}', id="models-by-name"),
    pytest.param(b'{"models": ["grok-5", 5, null, []]}', id="rows-that-are-none"),
    pytest.param(b"[" * 500_000, id="nested-too-deeply"),
    pytest.param(b'{"models": [{"id": ' + b"9" * 5000 + b"}]}", id="a-number-too-long"),
    pytest.param(HUGE, id="larger-than-any-list"),
]
IDS = [
    pytest.param(5, id="number"),
    pytest.param(None, id="null"),
    pytest.param("", id="empty"),
    pytest.param("grok 5", id="space"),
    pytest.param("grok-5\n", id="line-break"),
    pytest.param("grok-\x1b[31m5", id="control-characters"),
    pytest.param("grok-5/../..", id="path"),
    pytest.param("gr\N{CYRILLIC SMALL LETTER O}k-4", id="looks-like-another"),
    pytest.param("\ud800", id="half-a-character"),
    pytest.param("g" * 101, id="long"),
]
FIELDS = [
    pytest.param("aliases", None, "aliases", (), id="aliases-null"),
    pytest.param("aliases", [5, None, "", "a b", ["x"]], "aliases", (), id="aliases-that-are-none"),
    pytest.param("aliases", "grok-5-latest", "aliases", (), id="aliases-a-text"),
    pytest.param("prompt_text_token_price", "40000", "prompt_price", None, id="price-a-text"),
    pytest.param("prompt_text_token_price", -1, "prompt_price", None, id="price-negative"),
    pytest.param("prompt_text_token_price", True, "prompt_price", None, id="price-true"),
    pytest.param(
        "completion_text_token_price", float("nan"), "completion_price", None, id="price-no-number"
    ),
    pytest.param(
        "completion_text_token_price", 10**400, "completion_price", None, id="price-beyond-floats"
    ),
    pytest.param("context_length", float("inf"), "context_length", None, id="context-infinite"),
    pytest.param("context_length", [], "context_length", None, id="context-a-list"),
    pytest.param("capabilities", [], "reasoning_efforts", (), id="capabilities-a-list"),
    pytest.param(
        "capabilities", {"reasoning_effort": "high"}, "reasoning_efforts", (), id="efforts-a-text"
    ),
    pytest.param(
        "capabilities", {"reasoning_effort": [1, {}]}, "reasoning_efforts", (), id="efforts-odd"
    ),
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_list_is_as_good_as_none(file: Path, content: bytes):
    file.write_bytes(content)

    assert registered() == WITHOUT_A_LIST


@pytest.mark.parametrize("name", IDS)
def test_a_row_without_a_proper_id_is_left_out_and_the_others_stay(keep: Keep, name: Any):
    keep({**GROK_5, "id": name}, {**GROK_5, "id": "grok-6"})

    assert list(registered()) == [*CATALOGUE, "xai/grok-6"]


@pytest.mark.parametrize(("field", "value", "read_as", "expected"), FIELDS)
def test_a_field_of_another_kind_costs_no_more_than_itself(
    keep: Keep, field: str, value: Any, read_as: str, expected: Any
):
    keep({**GROK_5, field: value})

    assert getattr(find_model("grok-5"), read_as) == expected
    assert "xai/grok-5" in registered()
    assert run_llm("grok-vision", "models").exit_code == 0


def test_a_list_in_utf_16_is_read_as_well(file: Path):
    file.write_bytes(json.dumps({"models": [GROK_5]}).encode("utf-16"))

    assert "xai/grok-5" in registered()


def _folder(file: Path) -> None:
    file.mkdir()


def _loop(file: Path) -> None:
    file.symlink_to(file)


def _pipe(file: Path) -> None:
    """Reading it would wait for somebody to write."""
    os.mkfifo(file)


NO_FILES = [
    pytest.param(_folder, id="a-folder"),
    pytest.param(_loop, id="a-link-to-itself"),
    pytest.param(_pipe, id="a-pipe"),
]


@pytest.mark.parametrize("make", NO_FILES)
def test_a_list_that_cannot_be_read_is_as_good_as_none(file: Path, make: Callable[[Path], None]):
    make(file)

    assert registered() == WITHOUT_A_LIST


@pytest.mark.parametrize("content", [b"{oops", b"null", HUGE], ids=["no-json", "null", "huge"])
def test_a_broken_list_makes_no_noise(file: Path, content: bytes):
    file.write_bytes(content)

    result = run_process("models", "-q", "xai")

    assert (result.returncode, result.stderr) == (0, b"")
    assert len(result.stdout.splitlines()) == len(CATALOGUE)


def test_finding_the_models_asks_nobody(keep: Keep, monkeypatch: pytest.MonkeyPatch):
    keep(GROK_5)

    with RawServer() as server:
        monkeypatch.setenv("XAI_API_BASE", server.url)
        monkeypatch.setenv("XAI_API_KEY", "any")
        result = run_llm("models", "-q", "grok-5")

    assert "xAI: xai/grok-5 (aliases: grok-5, grok-5-latest)" in result.stdout
    assert server.requests == []


def test_a_folder_that_llm_cannot_make_costs_the_list_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "a-file" / "llm"))

    assert [model.name for model in known.known_models()] == [
        model.name for model in vision_models()
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from([*GROK_5, "more"])
rows = st.dictionaries(fields, anything).map(lambda row: {**GROK_5, **row})
lists = st.fixed_dictionaries({"models": st.lists(rows | anything, max_size=4) | anything})
contents = st.binary() | lists.map(lambda value: json.dumps(value).encode())


@given(contents)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_bytes_in_the_file_can_break_or_change_what_the_catalogue_has(
    file: Path, content: bytes
):
    file.write_bytes(content)

    found = registered()

    assert {name: found[name] for name in CATALOGUE} == WITHOUT_A_LIST
    taken = {alias for aliases in WITHOUT_A_LIST.values() for alias in aliases}
    assert taken.isdisjoint(alias for name in set(found) - set(CATALOGUE) for alias in found[name])
