"""The examples for a container and for CI start the server that they speak of."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
BIN = Path(sys.executable).parent


@pytest.fixture
def port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def instructions() -> dict[str, str]:
    lines = (EXAMPLES / "Containerfile").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if re.match(r"[A-Z]+ ", line))


def is_healthy(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_container_starts_a_server_that_says_that_it_is_healthy(port):
    found = instructions()
    start = json.loads(found["ENTRYPOINT"].replace("8400", port).replace("0.0.0.0", "127.0.0.1"))
    check = json.loads(found["HEALTHCHECK"].removeprefix("CMD ").replace("8400", port))
    check[0] = sys.executable
    assert not is_healthy(check)

    with subprocess.Popen([BIN / start[0], *start[1:]], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"http://127.0.0.1:{port}/v1\n".encode()
        healthy = is_healthy(check)
        process.terminate()

    assert healthy
    assert found["EXPOSE"] == "8400"


def test_the_container_is_no_root_and_has_what_clients_need():
    found = instructions()

    assert found["USER"] == "65534"
    assert "'/src[grpc,record,redis]'" in found["RUN"]


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_job_starts_the_server_and_its_clients_find_it(port, tmp_path):
    job = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"]["test"]
    steps = {step.get("name"): step for step in job["steps"]}
    start = "\n".join(
        line for line in steps["Start the fake"]["run"].splitlines() if "pip install" not in line
    ).replace("8400", port)
    base = steps["Test"]["env"]["OPENAI_BASE_URL"].replace("8400", port)
    (tmp_path / "scenario.yaml").write_text("rules: [{reply: Ahoy}]")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    script = f"set -e\n{start}\nread -r _\nkill %1"

    with subprocess.Popen(
        ["bash", "-m", "-c", script],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": path},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.read(len('{"status":"ok"}'))) == {"status": "ok"}
        asked = {"model": "grok-4", "messages": [{"role": "user", "content": "Hi"}]}
        answer = httpx2.post(
            f"{base}/chat/completions",
            json=asked,
            headers={"authorization": f"Bearer {steps['Test']['env']['OPENAI_API_KEY']}"},
            trust_env=False,
        )
        process.stdin.write(b"\n")
        process.stdin.close()

    assert answer.json()["choices"][0]["message"]["content"] == "Ahoy"
    assert (tmp_path / "fake.log").read_text().startswith(f"http://127.0.0.1:{port}/v1\n")
