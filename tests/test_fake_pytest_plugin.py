"""Every project that installs the package has the fixture, and pays nothing until it is used."""

import subprocess
import sys

import pytest

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

    result = pytester.runpytest_subprocess("-W", "error")

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

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=3)


def test_the_fixture_is_listed_with_its_sentence(pytester: pytest.Pytester):
    result = pytester.runpytest_subprocess("--fixtures")

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

    # One of the clients that the tests need brings a plugin of its own, which is heavy.
    result = pytester.runpytest_subprocess("-p", "no:langsmith_plugin")

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
