#!/bin/sh
# The main job, end to end, against the fake server: no key, no network, no bill.
# LLM's own keys, logs and settings stay as they are: this runs in a folder of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=

finish() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

python -m fake_server >"$work/url" 2>"$work/log" &
server=$!
tries=0
while [ ! -s "$work/url" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
    cat "$work/log" >&2
    echo "The fake server did not start." >&2
    exit 1
  fi
  sleep 0.1
done

unset LLM_MODEL LLM_LOAD_PLUGINS LLM_RAISE_ERRORS LLM_DATABASE_PATH 2>/dev/null || true
LLM_USER_PATH=$work/llm
XAI_API_KEY=any-key-will-do
XAI_API_BASE=$(head -n 1 "$work/url")
# So that the answer comes before the usage, whatever standard output is.
PYTHONUNBUFFERED=1
# A proxy could not reach this machine's own server.
NO_PROXY=127.0.0.1
no_proxy=127.0.0.1
export NO_PROXY no_proxy
export LLM_USER_PATH XAI_API_KEY XAI_API_BASE PYTHONUNBUFFERED

cd "$here"
echo "\$ llm -m grok-4 'What is in this image?' -a harbour.jpg --usage"
llm -m grok-4 'What is in this image?' -a harbour.jpg --usage </dev/null
