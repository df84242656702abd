"""A YAML file scripts the server, and a mistake in it is told with its line."""

import os
from pathlib import Path
from textwrap import dedent

import pytest

from fake_server import FakeServer
from tests.asking import body, image, post, text
from tests.pictures import data_url, picture

SCENARIO = """\
    # Two boats are compared, anything else is refused every other time.
    rules:
      - name: boats
        when: {images: 2, text: compare}
        reply: The left one.
      - when: {model: grok-4.3}
        reply:
          text: Ahoy
          reasoning: A boat is near.
          tool_calls: [{name: tide, arguments: {place: Brest}}]
          usage: {cached_tokens: 1}
      - when: {text: slow}
        fail: {status: 429, retry_after: 2}
        times: 1
      - when: {text: lost}
        fail: image_fetch
      - when: {text: broken}
        fault: {after_bytes: 0, ending: fin}
    images:
      https://boats.test/one.png: pictures/one.png
    seed: 7
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "one.png").write_bytes(picture(449, 448))
    path = tmp_path / "boats.yaml"
    path.write_text(dedent(SCENARIO))
    return path


def said(server: FakeServer, *parts, **fields) -> str:
    return str(post(server, body(*parts, **fields)).json()["choices"][0]["message"]["content"])


def test_a_file_has_answers_failures_and_pictures(scenario):
    boat = image("https://boats.test/one.png")
    with FakeServer(scenario=scenario) as server:
        assert said(server, text("compare"), boat, boat) == "The left one."
        message = post(server, body(model="grok-4.3")).json()["choices"][0]["message"]
        refused = post(server, body(text("slow")))
        lost = post(server, body(text("lost")))

        assert message["tool_calls"][0]["function"]["name"] == "tide"
        assert message["reasoning_content"] == "A boat is near."
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        assert "could not be fetched" in lost.text
        assert post(server, body(text("slow"))).status_code == 200
        assert server.requests[0].rule == "boats"
        assert server.requests[0].images[0].source == "scenario"


def test_a_file_is_read_again_when_it_changes(scenario):
    with FakeServer(scenario=scenario) as server:
        assert "The fake server saw" in said(server)
        scenario.write_text("rules: [{reply: changed}]")

        assert said(server) == "changed"


def heads(server: FakeServer, *, reset: bool = False) -> list[bool]:
    if reset:
        server.clear()
    return [said(server) == "heads" for _ in range(20)]


@pytest.fixture
def chance(tmp_path: Path) -> Path:
    path = tmp_path / "chance.yaml"
    path.write_text("rules: [{reply: heads, probability: 0.5}]\n")
    return path


def test_the_seed_of_the_server_throws_the_dice_of_a_file(chance):
    with FakeServer(scenario=chance, seed=1) as one, FakeServer(scenario=chance, seed=2) as other:
        assert heads(one) != heads(other)
        assert heads(one, reset=True) != heads(other, reset=True)


def test_the_seed_of_a_file_comes_before_that_of_the_server(chance):
    with FakeServer(scenario=chance, seed=7) as server:
        expected = heads(server)
    chance.write_text(f"{chance.read_text()}seed: 7\n")

    with FakeServer(scenario=chance, seed=1) as server:
        assert heads(server) == expected
        assert heads(server, reset=True) == expected


def test_a_mistake_that_comes_later_is_logged_and_the_old_rules_hold(scenario, caplog):
    scenario.write_text("rules: [{reply: good}]")
    with FakeServer(scenario=scenario) as server:
        scenario.write_text("rules:\n  - repyl: bad\n")

        assert said(server) == "good"
    assert caplog.messages == [
        "boats.yaml, line 2: unknown field `repyl` in rules[0]; what was read before still holds"
    ]


def test_a_file_that_is_gone_leaves_its_rules(scenario, caplog):
    scenario.write_text("rules: [{reply: good}]")
    with FakeServer(scenario=scenario) as server:
        scenario.unlink()

        assert said(server) == "good"
    assert "No such file" in caplog.text


def test_clearing_goes_back_to_the_file(scenario):
    scenario.write_text("rules: [{reply: once, times: 1}]")
    with FakeServer(scenario=scenario) as server:
        server.reply("of the test")
        answers = [said(server)]
        server.clear()
        answers.append(said(server))

    assert answers == ["once", "once"]


def test_a_file_may_be_loaded_in_a_test(grok_server, scenario):
    grok_server.load(os.fspath(scenario))

    assert said(grok_server, text("slow down"), model="grok-4.3") == "Ahoy"


def test_an_empty_file_has_no_rules(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing yet\n")

    with FakeServer(scenario=path) as server:
        assert "The fake server saw" in said(server)


def test_a_request_that_no_rule_is_for_is_logged(scenario, caplog):
    with FakeServer(scenario=scenario) as server:
        post(server, body(text("compare"), image(data_url(picture(64, 64)))))

    assert caplog.messages == [
        "request 1: No rule is for this request. Nearest came boats: images is 1, not 2."
    ]


MISTAKES = [
    pytest.param(
        "rules:\n  - when: {images: 1}\n    when_not: {}\n",
        "line 3: unknown field `when_not` in rules[0]",
        id="field",
    ),
    pytest.param(
        "rules:\n  - reply: a\n  - when:\n      model: grok-4\n      imgaes: 2\n",
        "line 5: unknown field `imgaes` in rules[1].when",
        id="inner-field",
    ),
    pytest.param(
        "rules:\n  - when:\n      images: two\n",
        "line 3: expected `int | null`, got `str` in rules[0].when.images",
        id="type",
    ),
    pytest.param(
        "rules:\n  - when:\n      images: two\n      model: grok-4\n    reply: a\n",
        "line 3: expected `int | null`, got `str` in rules[0].when.images",
        id="type-before-others",
    ),
    pytest.param(
        "rules:\n  - reply: a\n  - when: {}\n    reply:\n      usage: {cats: 1}\n    name: b\n",
        "line 4: usage is numbers of text_tokens, cached_tokens, completion_tokens,"
        " reasoning_tokens from 0 to 100000000, unlike 'cats': 1 in rules[1].reply",
        id="usage-of-a-reply",
    ),
    pytest.param(
        "seed: 1\nrules: none\n", "line 2: expected `array`, got `str` in rules", id="list"
    ),
    pytest.param(
        "rules:\n  - reply: a\n\n  - fail: {status: 200}\n",
        "line 4: a failure has a status from 400 to 599, not 200 in rules[1].fail",
        id="status",
    ),
    pytest.param(
        "rules:\n  - reply: a\n    fail: {status: 429}\n",
        "line 2: a rule has a reply or a fail, not both in rules[0]",
        id="both",
    ),
    pytest.param(
        "rules:\n  - fault:\n      ending: bang\n",
        "line 3: invalid enum value 'bang' in rules[0].fault.ending",
        id="ending",
    ),
    pytest.param(
        "rules:\n  - when: {text_matches: '('}\n",
        "line 2: text_matches is no regular expression: missing ), unterminated subpattern"
        " at position 0 in rules[0].when",
        id="regular-expression",
    ),
    pytest.param(
        "rules:\n  - probability: 7\n",
        "line 2: probability is a number from 0 to 1, not 7.0 in rules[0]",
        id="probability",
    ),
    pytest.param(
        "images:\n  https://a.test/b.png: nowhere.png\n",
        "line 2: nowhere.png: No such file or directory",
        id="no-picture",
    ),
    pytest.param(
        "images:\n  a.test/b.png: one.png\n",
        "line 2: the address of an image begins with http:// or https://: a.test/b.png",
        id="no-address",
    ),
    pytest.param(
        'rules:\n  - reply: "\\ud800"\n',
        "line 2: a reply has to be JSON: 'utf-8'",
        id="half-a-character",
    ),
    pytest.param("rules:\n  - reply: [\n", "line 3: expected the node content", id="yaml"),
    pytest.param(
        "rules:\n  - reply: a\n    reply: b\n", "line 3: `reply` stands here twice", id="twice"
    ),
    pytest.param("rules: &a [*a]\n", "line 1: an alias stands here in what it names", id="alias"),
    pytest.param(
        "rules:\n  - reply: {tool_calls: [{name: f, arguments: &a {b: *a}}]}\n",
        "line 2: an alias stands here in what it names",
        id="alias-deep",
    ),
    pytest.param("? [a, b]\n: 1\n", "line 1: a key is a word", id="list-as-a-key"),
    pytest.param("a: 1\n---\nb: 2\n", "line 2: but found another document", id="two"),
    pytest.param("- reply: a\n", "line 1: expected `object`, got `array`", id="no-mapping"),
    pytest.param("rules:\n\t- reply: a\n", "line 2: found character '\\t'", id="tab"),
    pytest.param("rules: !!python/object:os.system {}\n", "line 1: could not determine", id="tag"),
]


@pytest.mark.parametrize(("written", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path, written, told):
    path = tmp_path / "wrong.yaml"
    path.write_text(written)

    with pytest.raises(ValueError, match=r"^wrong\.yaml, ") as raised:
        FakeServer(scenario=path)

    assert str(raised.value).startswith(f"wrong.yaml, {told}")


def test_a_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match=r"wrong\.yaml: this is no UTF-8"):
        FakeServer(scenario=path)


def test_a_file_with_letters_that_yaml_has_not_is_told(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("rules: \x07\n")

    with pytest.raises(ValueError, match=r"wrong\.yaml: unacceptable character"):
        FakeServer(scenario=path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"^nowhere\.yaml: No such file or directory$"):
        FakeServer(scenario=tmp_path / "nowhere.yaml")


def test_a_file_that_is_nested_too_deeply_is_told(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("rules: " + "[" * 5000)

    with pytest.raises(ValueError, match=r"wrong\.yaml: this is nested too deeply"):
        FakeServer(scenario=path)


def test_aliases_of_aliases_are_read_once_each(tmp_path):
    lines = ["rules: []", "images: {}", "seed: 1"]
    path = tmp_path / "many.yaml"
    doubled = [f"  - &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    path.write_text("\n".join([*lines, "rules_of_mine:", "  - &a0 [x]", *doubled]))

    with pytest.raises(ValueError, match="unknown field `rules_of_mine`"):
        FakeServer(scenario=path)


def test_an_alias_says_something_twice(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(
        "rules:\n  - when: &one {images: 1}\n    reply: a\n    times: 1\n  - when: *one\n    reply: b\n"
    )

    with FakeServer(scenario=path) as server:
        cat = image(data_url(picture(64, 64)))
        assert [said(server, cat) for _ in range(2)] == ["a", "b"]
