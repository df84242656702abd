"""Any row is read back as it was written, from any place at which its file may have been torn."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import llm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_grok_vision.describe.formats import Csv, Format, JsonLines, Record
from llm_grok_vision.describe.output import OutputFile
from llm_grok_vision.describe.question import Question, Row, image_key

QUESTION = Question("xai/grok-4", "What?", None, None, {})
FORMATS: list[Any] = [
    pytest.param(JsonLines(), id="json-lines"),
    pytest.param(Csv(QUESTION.columns), id="csv"),
]

# NUL is left out, which csv of Python 3.10 cannot read, and what no UTF-8 can spell.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text(
    '",\r\n\\a\u2028ä'
)
answers = st.lists(st.tuples(texts, texts), max_size=4, unique_by=lambda pair: image_key(pair[0]))


def _rows(pairs: list[tuple[str, str]]) -> list[Row]:
    return [QUESTION.row(image, text, llm.Usage()) for image, text in pairs]


@pytest.mark.parametrize("form", FORMATS)
@given(answers)
def test_a_row_is_read_back_as_it_was_written(form: Format, pairs: list[tuple[str, str]]):
    written = b"".join(form.encode(row) for row in _rows(pairs))

    records = list(form.records(io.BytesIO(written)))

    assert all(record.finished for record in records)
    decoded = [form.decode(record.data) or {} for record in records]
    assert [(row["image"], row["response"]) for row in decoded] == pairs


@pytest.mark.parametrize("form", FORMATS)
@given(answers, st.integers(0, 2000))
def test_a_file_that_is_torn_anywhere_keeps_its_whole_rows(
    form: Format, pairs: list[tuple[str, str]], cut: int
):
    """The run that goes on with it makes of it what it would have been."""
    written = [form.encode(row) for row in _rows(pairs)]
    whole = form.header + b"".join(written) if written else b""
    torn = whole[: cut % (len(whole) + 1)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "out")
        path.write_bytes(torn)

        with OutputFile(str(path), form, QUESTION.id) as output:
            done = output.done
            for (image, _), row in zip(pairs, _rows(pairs), strict=True):
                if image_key(image) not in done:
                    output.write(row)
        gone_on_with = path.read_bytes()

    complete = sum(
        len(b"".join(written[: n + 1])) <= len(torn) - len(form.header) for n in range(4)
    )
    assert gone_on_with == whole
    assert len(done) >= min(complete, len(written))


@given(st.text())
def test_a_path_is_the_same_image_however_it_was_written(path: str):
    row = QUESTION.row(path, "x", llm.Usage())

    for form in (JsonLines(), Csv(QUESTION.columns)):
        if "\0" not in path:
            read = form.decode(form.encode(row))
            assert read is not None
            assert image_key(read["image"]) == image_key(path)


def test_two_spellings_of_one_path_are_one_image():
    assert image_key("./photos//a.png") == image_key("photos/a.png")
    assert image_key("photos/a.png") != image_key("photos/A.png")


def test_an_answer_in_csv_may_be_longer_than_the_csv_module_expects():
    form = Csv(QUESTION.columns)

    read = form.decode(form.encode(QUESTION.row("a.png", "x" * 200_000, llm.Usage())))

    assert read is not None
    assert len(read["response"]) == 200_000


# To count all quotes again behind each line would take minutes.
@pytest.mark.timeout(10)
def test_a_quote_that_nothing_closes_is_looked_for_once():
    lines = [b'"\r\n', *[b"a.jpg,0123456789ab\r\n"] * 100_000]

    (record,) = Csv(QUESTION.columns).records(lines)

    assert record == Record(b"".join(lines), finished=False)
