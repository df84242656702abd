"""The programs of the user's document, cut out of it as they stand."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "shared" / "seed" / "image-understanding.txt"

# They follow each other without a mark: each ends where it shows its answer.
_PROGRAM = re.compile(
    r"import (?:os|OpenAI|\{ promises|\{ xai \}).*?"
    r"(?:print\(\S+\.content\)|console\.log\(\S+\);)",
    re.DOTALL,
)


def programs() -> dict[str, str]:
    """Give the programs that are whole, by what they are."""
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    found = [_unescaped(program) for program in _PROGRAM.findall(text)]
    return {_name(program): program for program in found}


def _unescaped(program: str) -> str:
    # What made the document put a backslash before the marks of templates.
    for mark in ("`", "{", "}"):
        program = program.replace(f"\\{mark}", mark)
    return _indented(program) if program.startswith("import os") else program


def _indented(program: str) -> str:
    """Indent the one function of the document, which has lost its spaces."""
    lines, depth = [], 0
    for line in program.splitlines():
        depth = 1 if line.startswith("return ") else depth
        lines.append("    " * depth + line)
        if line.startswith(("def ", "with ")):
            depth += 1
        elif line.startswith("return "):
            depth = 0
    return "\n".join(lines)


def _name(program: str) -> str:
    client = next(name for name in ("xai_sdk", "@ai-sdk/xai", "openai") if name in program)
    language = "python" if program.startswith("import os") else "node"
    source = "base64" if "base64" in program or "readFileSync" in program else "address"
    return f"{client}-{language}-{source}"
