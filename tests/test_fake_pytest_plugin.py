"""Every project that installs the package has the fixture, and pays nothing until it is used."""

import subprocess
import sys

import pytest

from tests.pictures import picture
from tests.running import nested

HEAVY = ("uvicorn", "msgspec", "httpx2", "pybase64", "llm", "asyncio.base_events")


def test_a_project_of_strangers_has_the_fixture(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import openai

        def test_a_question(grok_server):
            client = openai.OpenAI(base_url=grok_server.url, api_key="anything")
            grok_server.reply("It is a cat.")

            answer = client.chat.completions.create(
                model="grok-4", messages=[{"role": "user", "content": "What is this?"}]
            )

            assert answer.choices[0].message.content == "It is a cat."
            assert grok_server.requests[0].parts == ["What is this?"]
        """
    )

    result = nested(pytester, "-W", "error")

    result.assert_outcomes(passed=1)


def test_each_test_has_a_clean_log_on_the_same_server(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import urllib.error
        import urllib.request

        import pytest

        urls = set()

        @pytest.mark.parametrize("time", [1, 2])
        def test_a_question(grok_server, time):
            assert grok_server.requests == []
            urls.add(grok_server.url)
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(grok_server.url + "/models")
            grok_server.reply("left over")
            assert len(grok_server.requests) == 1

        def test_the_server_was_the_same():
            assert len(urls) == 1
        """
    )

    result = nested(pytester)

    result.assert_outcomes(passed=3)


def test_the_environment_points_clients_at_it_as_long_as_the_test_runs(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import os

        import openai

        def test_a_question(grok_server):
            client = openai.OpenAI()
            client.models.list()
            assert os.environ["XAI_API_BASE"] == grok_server.url
            assert grok_server.requests[0].key == os.environ["XAI_API_KEY"]

        def test_afterwards():
            assert "OPENAI_BASE_URL" not in os.environ
        """
    )

    result = nested(pytester)

    result.assert_outcomes(passed=2)


MARKED = """
    import openai
    import pytest

    pytestmark = pytest.mark.grok_server(models=["grok-4.3"])

    def ids():
        return [model.id for model in openai.OpenAI().models.list()]

    def test_a_module_may_have_options(grok_server):
        assert ids() == ["grok-4.3"]

    @pytest.mark.grok_server(models=["grok-4", "grok-4.3"], images="pictures")
    def test_and_a_test_others(grok_server):
        part = {"type": "image_url", "image_url": {"url": "https://boats.test/one.png"}}
        openai.OpenAI().chat.completions.create(
            model="grok-4.3", messages=[{"role": "user", "content": [part]}]
        )
        assert grok_server.requests[0].images[0].source == "images"
        assert len(ids()) == 2
"""


def test_a_marker_has_options_of_the_server(pytester: pytest.Pytester):
    pytester.makepyfile(MARKED)
    folder = pytester.path / "pictures" / "boats.test"
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(picture(64, 64))

    result = nested(pytester, "--strict-markers")

    result.assert_outcomes(passed=2)


@pytest.mark.covers_processes
def test_an_option_that_there_is_not_fails_in_a_sentence(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.grok_server(contract="other")
        def test_a_question(grok_server):
            pass
        """
    )

    result = nested(pytester)

    result.stdout.fnmatch_lines(
        ["grok_server: contract is one of documented, observed, not 'other'"]
    )


@pytest.mark.covers_processes
def test_an_option_without_its_name_fails_in_a_sentence(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.grok_server("observed")
        def test_a_question(grok_server):
            pass
        """
    )

    result = nested(pytester)

    result.stdout.fnmatch_lines(
        ["grok_server: its options have names, as in contract='observed'; 'observed' has none"]
    )


@pytest.mark.covers_processes
def test_a_test_that_failed_shows_what_was_asked_and_what_a_function_raised(
    pytester: pytest.Pytester,
):
    pytester.makepyfile(
        """
        import openai

        def wrong(request):
            assert request.images, "there is no image"

        def test_a_question(grok_server):
            grok_server.reply(wrong)
            try:
                openai.OpenAI(max_retries=0).chat.completions.create(
                    model="grok-4", messages=[{"role": "user", "content": "What is this?"}]
                )
            except openai.InternalServerError:
                pass
        """
    )

    result = nested(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: there is no image",
            "*Requests to grok_server*",
            "1: POST /v1/chat/completions -> 500: grok-4, rule 1, The function of the test*",
        ]
    )


@pytest.mark.parametrize("ending", ["fail", "skip"])
def test_a_function_may_end_its_test_as_a_test_does(pytester: pytest.Pytester, ending: str):
    pytester.makepyfile(
        f"""
        import urllib.error
        import urllib.request

        import pytest

        def wrong(request):
            pytest.{ending}("there is no image")

        def test_a_question(grok_server):
            grok_server.reply(wrong)
            asked = urllib.request.Request(
                grok_server.url + "/chat/completions",
                b'{{"model": "grok-4", "messages": [{{"role": "user", "content": "Hello"}}]}}',
                {{"authorization": "Bearer k", "content-type": "application/json"}},
            )
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(asked)
        """
    )

    result = nested(pytester, "-rs")

    result.assert_outcomes(failed=ending == "fail", skipped=ending == "skip")
    result.stdout.fnmatch_lines(["*there is no image"])


def test_eight_workers_have_a_server_each(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import json
        import urllib.request

        import pytest

        @pytest.mark.parametrize("number", range(40))
        def test_a_question(grok_server, number):
            grok_server.reply(f"answer {number}")
            asked = {"model": "grok-4", "messages": [{"role": "user", "content": f"no. {number}"}]}
            headers = {"authorization": "Bearer k", "content-type": "application/json"}
            with urllib.request.urlopen(
                urllib.request.Request(
                    f"{grok_server.url}/chat/completions", json.dumps(asked).encode(), headers
                )
            ) as answer:
                message = json.load(answer)["choices"][0]["message"]
            assert message["content"] == f"answer {number}"
            assert grok_server.requests[0].parts == [f"no. {number}"]
        """
    )

    result = nested(pytester, "-n", "8")

    result.assert_outcomes(passed=40)


def test_the_fixture_is_listed_with_its_sentence(pytester: pytest.Pytester):
    result = nested(pytester, "--fixtures")

    result.stdout.fnmatch_lines(["grok_server*", "*Give a fake of xAI's API: one server*"])


def test_a_run_that_does_not_use_the_fixture_imports_no_server(pytester: pytest.Pytester):
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_heavy_is_there():
            assert "fake_server.pytest_plugin" in sys.modules
            assert [name for name in {HEAVY[:5]} if name in sys.modules] == []
        """
    )

    result = nested(pytester)

    result.assert_outcomes(passed=1)


def test_importing_the_plugin_imports_nothing_heavy():
    code = (
        "import sys; import pytest; before = set(sys.modules); import fake_server.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert ended.stdout.split() == ["fake_server", "fake_server.pytest_plugin"]
    assert [name for name in HEAVY if name in ended.stdout.split()] == []
