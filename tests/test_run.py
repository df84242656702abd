"""`fake_server run`: programs as they stand, whose requests to xAI reach the fake."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_server.run import environment
from tests.pictures import picture
from tests.programs import programs

NODE = shutil.which("node")
HOSTS = ("api.x.ai", "us.api.x.ai", "us-east-1.api.x.ai", "eu-west-1.api.x.ai")
MODULES = Path(__file__).parent / "node" / "node_modules"
PROGRAMS = programs()
# Of a model that is a plain string, ai asks Vercel's gateway and never xAI.
NEVER_LEAVES = "@ai-sdk/xai-node-address"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node on this machine")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command under the fake, in a folder with what the document's programs read."""
    (tmp_path / "...").write_bytes(picture(449, 448, "JPEG"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "comic-cat.png").write_bytes(picture(449, 448))
    (tmp_path / "node_modules").symlink_to(MODULES)
    monkeypatch.chdir(tmp_path)
    # Whoever has no way out has to come to the fake all the same.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    def start(*command: str, options: tuple[str, ...] = (), given: str = ""):
        return subprocess.run(
            [sys.executable, "-m", "fake_server", "run", *options, "--", *command],
            capture_output=True,
            text=True,
            input=given,
            timeout=60,
            check=False,
        )

    return start


def python(program: str) -> tuple[str, ...]:
    Path("program.py").write_text(program)
    return (sys.executable, "program.py")


def node(program: str, name: str = "program.mjs") -> tuple[str, ...]:
    Path(name).write_text(program)
    return ("node", name)


@pytest.mark.skipif(not PROGRAMS, reason="the user's document is not beside this project")
@pytest.mark.parametrize("name", [*(name for name in PROGRAMS if name != NEVER_LEAVES)])
def test_the_programs_of_the_document_run_as_they_stand(run: Run, name: str):
    if "-node-" in name and NODE is None:
        pytest.skip("there is no Node on this machine")

    ran = run(*(node if "-node-" in name else python)(PROGRAMS[name]))

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("The fake server saw 1 image. Image 1: ")
    is_inline = name.endswith("base64")
    assert (
        "449x448" if is_inline else "(a placeholder for https://science.nasa.gov/"
    ) in ran.stdout
    # The AI SDK's programs say nothing of the detail.
    detail = "auto" if name.startswith("@ai-sdk") else "high"
    assert f"detail {detail}" in ran.stdout


@pytest.mark.skipif(not PROGRAMS, reason="the user's document is not beside this project")
def test_all_programs_of_the_document_are_found():
    assert sorted(PROGRAMS) == [
        "@ai-sdk/xai-node-address",
        "@ai-sdk/xai-node-base64",
        "openai-node-address",
        "openai-node-base64",
        "openai-python-address",
        "openai-python-base64",
        "xai_sdk-python-address",
        "xai_sdk-python-base64",
    ]


ASK = """
import asyncio, json, os, sys
KEY = {"Authorization": "Bearer " + os.environ["XAI_API_KEY"]}
URL = "https://api.x.ai/v1/models/grok-4"
"""

CLIENTS = {
    "urllib": """
import urllib.request
print(urllib.request.urlopen(urllib.request.Request(URL, headers=KEY)).read().decode())
""",
    "http.client": """
import http.client
connection = http.client.HTTPSConnection("api.x.ai")
connection.request("GET", "/v1/models/grok-4", headers=KEY)
print(connection.getresponse().read().decode())
""",
    "requests": """
import requests
print(requests.get(URL, headers=KEY).text)
""",
    "httpx": """
import httpx
print(httpx.get(URL, headers=KEY).text)
""",
    "httpx2-async": """
import httpx2
async def main():
    async with httpx2.AsyncClient() as client:
        print((await client.get(URL, headers=KEY)).text)
asyncio.run(main())
""",
    "aiohttp": """
import aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(URL, headers=KEY) as got:
        print(await got.text())
asyncio.run(main())
""",
    "openai-async": """
import openai
async def main():
    client = openai.AsyncOpenAI(api_key=os.environ["XAI_API_KEY"], base_url="https://api.x.ai/v1")
    print((await client.models.retrieve("grok-4")).to_json())
asyncio.run(main())
""",
    "xai-sdk-async": """
from xai_sdk import AsyncClient
async def main():
    print((await AsyncClient().models.get_language_model("grok-4")).name)
asyncio.run(main())
""",
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_for_python_is_redirected(run: Run, name: str):
    ran = run(*python(ASK + CLIENTS[name]))

    assert ran.returncode == 0, ran.stderr
    assert "grok-4-0709" in ran.stdout


def test_every_host_of_xai_is_redirected(run: Run):
    program = f"""
import urllib.request
for host in {HOSTS}:
    asked = urllib.request.Request(URL.replace("api.x.ai", host), headers=KEY)
    print(urllib.request.urlopen(asked).status, host)
"""

    ran = run(*python(ASK + program))

    assert ran.stdout.splitlines() == [f"200 {host}" for host in HOSTS]


FOR_NODE = {
    "fetch": """
const answer = await fetch("https://api.x.ai/v1/models/grok-4", { headers: { authorization: "Bearer k" } });
console.log(await answer.text());
""",
    "fetch-of-a-request": """
const request = new Request("https://api.x.ai/v1/tokenize-text", {
  method: "POST",
  headers: { authorization: "Bearer k", "content-type": "application/json" },
  body: JSON.stringify({ text: "grok-4-0709", model: "grok-4" }),
});
console.log(await (await fetch(request)).text());
""",
    "https.request": """
import { request } from "node:https";
const sent = request({ hostname: "api.x.ai", path: "/v1/models/grok-4", headers: { authorization: "Bearer k" } }, (answer) =>
  answer.on("data", (data) => console.log(String(data))));
sent.end();
""",
    "https.get": """
import https from "node:https";
https.get("https://api.x.ai/v1/models/grok-4", { headers: { authorization: "Bearer k" } }, (answer) =>
  answer.on("data", (data) => console.log(String(data))));
""",
    "openai-4": """
import OpenAI from "openai-4";
const openai = new OpenAI({ apiKey: "k", baseURL: "https://api.x.ai/v1" });
console.log(JSON.stringify(await openai.models.retrieve("grok-4")));
""",
}


@needs_node
@pytest.mark.parametrize("name", FOR_NODE)
def test_a_client_for_node_is_redirected(run: Run, name: str):
    ran = run(*node(FOR_NODE[name]))

    assert ran.returncode == 0, ran.stderr
    assert "grok-4-0709" in ran.stdout


@needs_node
def test_a_program_of_common_js_is_redirected(run: Run):
    ran = run(
        *node(
            """
const https = require("https");
https.get("https://us.api.x.ai/v1/models/grok-4", { headers: { authorization: "Bearer k" } }, (answer) =>
  answer.on("data", (data) => console.log(String(data))));
""",
            "program.cjs",
        )
    )

    assert "grok-4-0709" in ran.stdout


OTHERS = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"another host")
    def log_message(self, *message): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
import httpx2, requests, urllib.request
print(httpx2.get(url).text, requests.get(url).text, urllib.request.urlopen(url).read().decode())
"""


def test_other_hosts_are_left_alone(run: Run):
    assert run(*python(OTHERS)).stdout == "another host another host another host\n"


@pytest.mark.covers_processes
def test_output_input_and_status_are_passed_through(run: Run):
    program = (
        "import sys; print(sys.stdin.read().upper()); print('oh', file=sys.stderr); sys.exit(7)"
    )

    ran = run(sys.executable, "-c", program, given="hello")

    assert (ran.stdout, ran.stderr, ran.returncode) == ("HELLO\n", "oh\n", 7)


@pytest.mark.covers_processes
def test_a_command_that_there_is_not_is_said_as_a_shell_does(run: Run):
    ran = run("no-such-command")

    assert (ran.returncode, ran.stderr) == (
        127,
        "fake_server: no-such-command: command not found\n",
    )


@pytest.mark.covers_processes
def test_a_command_that_can_not_be_run_is_said_as_a_shell_does(run: Run):
    Path("notes.txt").write_text("no program")

    ran = run("./notes.txt")

    assert (ran.returncode, ran.stderr) == (126, "fake_server: ./notes.txt: Permission denied\n")


@pytest.mark.covers_processes
def test_a_command_that_is_missing_is_asked_for(run: Run):
    ran = run()

    assert ran.returncode == 2
    assert "run needs a command behind its options: run -- python app.py" in ran.stderr


@pytest.mark.covers_processes
def test_a_program_that_a_signal_ended_has_the_status_of_a_shell(run: Run):
    ran = run("sh", "-c", "kill -9 $$")

    assert ran.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_program(tmp_path: Path, number: signal.Signals):
    program = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    command = [sys.executable, "-m", "fake_server", "run", "--", sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(20) == 9


@pytest.mark.covers_processes
def test_options_are_those_of_the_server(run: Run):
    program = ASK + CLIENTS["requests"]
    folder = Path("pictures/pictures.test")
    folder.mkdir(parents=True)
    (folder / "cat.png").write_bytes(picture(64, 64))
    asking = program.replace(
        "requests.get(URL, headers=KEY)",
        """requests.post(
    "https://api.x.ai/v1/chat/completions", headers=KEY, json={"model": "grok-4", "messages": [
        {"role": "user", "content": [{"type": "image_url",
            "image_url": {"url": "https://pictures.test/cat.png"}}]}]})""",
    )

    ran = run(*python(asking), options=("--images", "pictures", "--api-key", "xai-the-key"))

    assert "PNG, 64x64 pixels" in ran.stdout


def test_a_key_of_the_environment_is_the_program_s_own(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XAI_API_KEY", "xai-mine")

    ran = run(sys.executable, "-c", "import os; print(os.environ['XAI_API_KEY'])")

    assert ran.stdout == "xai-mine\n"


def test_processes_of_the_program_are_redirected_too(run: Run):
    child = ASK + CLIENTS["urllib"]
    ran = run(*python(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"))

    assert "grok-4-0709" in ran.stdout


def test_a_sitecustomize_of_the_program_runs_as_well(run: Run, monkeypatch: pytest.MonkeyPatch):
    folder = Path("mine")
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.mine = 'ran'\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.resolve()))

    ran = run(*python(ASK + CLIENTS["urllib"] + "print(sys.mine, sys.modules['sitecustomize'])"))

    assert "grok-4-0709" in ran.stdout
    assert "ran <module 'sitecustomize' from" in ran.stdout
    assert str(folder.resolve()) in ran.stdout


def test_no_client_is_loaded_that_the_program_does_not_load(run: Run):
    program = "import sys; print({'httpx', 'grpc', 'http.client', 'typing', 'asyncio'} & set(sys.modules))"

    ran = run(sys.executable, "-S", "-c", "import sitecustomize; " + program)

    assert ran.stdout == "set()\n"


def test_what_python_and_node_load_already_stays(tmp_path: Path):
    given = {"PYTHONPATH": "/mine", "NODE_OPTIONS": "--no-warnings", "NO_PROXY": "intra.net"}

    made = environment(given, "127.0.0.1:1", "k")

    assert made["PYTHONPATH"].split(os.pathsep)[1:] == ["/mine"]
    assert made["NODE_OPTIONS"].startswith("--no-warnings --require ")
    assert made["NO_PROXY"].startswith("intra.net,api.x.ai")


def test_the_server_is_gone_when_the_program_has_ended(run: Run):
    ran = run(sys.executable, "-c", "import os; print(os.environ['FAKE_SERVER_ADDRESS'])")

    probe = f"import socket; socket.create_connection(('127.0.0.1', {ran.stdout.split(':')[1]}), 1)"
    gone = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False)
    assert gone.returncode == 1
