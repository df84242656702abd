"""What an image costs is told before it is sent: the counts, and `llm grok-vision tokens`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fake_server.accounting import count_image_tokens, count_patches, count_tiles
from llm_grok_vision.estimate import _caption, find_model
from llm_grok_vision.limits import EXTRA_PATCHES
from llm_grok_vision.prepare import Preparation, prepare
from llm_grok_vision.tokens import Cost, patched, tiled
from tests.pictures import picture
from tests.prompting import run_llm, shown_error
from tests.sound_headers import png_header

WriteFile = Callable[[str, bytes], Path]

sides = st.integers(1, 12_000)

TILED = [
    pytest.param(448, 448, "high", 512, id="guide-a-tile-exactly"),
    pytest.param(449, 448, "high", 768, id="guide-one-column-over"),
    pytest.param(448, 449, "auto", 768, id="guide-one-row-over"),
    pytest.param(1344, 896, "high", 1792, id="guide-six-tiles"),
    pytest.param(9000, 9000, "auto", 1792, id="guide-six-tiles-the-most"),
    pytest.param(1280, 1014, "high", 1792, id="observed-grok-2-vision-high"),
    pytest.param(1200, 800, "low", 256, id="observed-grok-2-vision-low"),
]
PATCHED = [
    pytest.param(128, 128, "auto", 18, id="observed-grok-4.3-icon"),
    pytest.param(239, 178, "auto", 50, id="observed-grok-4.3-photo"),
    pytest.param(1800, 1200, "auto", 2168, id="observed-grok-4.3-large"),
    pytest.param(800, 400, "auto", 327, id="observed-grok-4.5"),
    pytest.param(1024, 1024, "high", 1026, id="observed-grok-4.6-high"),
    pytest.param(1024, 1024, "low", 258, id="observed-grok-4.6-low"),
    pytest.param(512, 512, "low", 258, id="assumed-just-as-large-as-low-is"),
    pytest.param(1024, 1, "low", 18, id="assumed-a-line"),
]


@pytest.mark.parametrize(("width", "height", "detail", "tokens"), TILED)
def test_a_tiled_image_costs_what_the_evidence_says(width, height, detail, tokens):
    assert tiled(width, height, detail).tokens == tokens


@pytest.mark.parametrize(("width", "height", "detail", "tokens"), PATCHED)
def test_a_patched_image_costs_what_was_seen(width, height, detail, tokens):
    assert patched(width, height, detail).tokens == tokens


@given(sides, sides, st.sampled_from(["auto", "low", "high"]))
def test_plugin_and_fake_count_alike(width, height, detail):
    tiles = count_tiles(width, height, detail)

    assert tiled(width, height, detail).tokens == count_image_tokens(tiles)
    patches = count_patches(width, height, detail)
    assert patched(width, height, detail).tokens == patches + EXTRA_PATCHES


def test_the_command_tells_what_each_detail_costs(photo: Path):
    result = run_llm("grok-vision", "tokens", photo)

    assert [line.split()[-3:] for line in result.stdout.splitlines()[1:]] == [
        ["auto", "1,792", "0.005376"],
        ["low", "256", "0.000768"],
        ["high", "1,792", "0.005376"],
    ]


def test_a_file_that_is_converted_costs_what_is_sent(
    image_file: Callable[[str, bytes], Path], tmp_path: Path
):
    path = image_file("photo.webp", picture(900, 500, "WEBP"))

    result = run_llm("grok-vision", "tokens", path, "--json", "--draw", tmp_path / "out.png")

    rows = json.loads(result.stdout)
    sent = prepare(path.read_bytes(), "photo.webp", Preparation()).data
    assert [(row["tokens"], row["bytes"]) for row in rows] == [
        (1792, len(sent)),
        (256, len(sent)),
        (1792, len(sent)),
    ]
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (900, 500)


def test_the_command_counts_patches_for_newer_models(photo: Path):
    result = run_llm("grok-vision", "tokens", photo, "-m", "xai/grok-4.3", "--json")

    auto, low, high = json.loads(result.stdout)
    # 42 * 28 patches and two more, at 1.25 dollars a million; at low 16 * 11, and two more.
    assert (auto["detail"], auto["tokens"], auto["usd"]) == ("auto", 1178, 0.0014725)
    assert (low["detail"], low["tokens"], low["usd"]) == ("low", 178, 0.0002225)
    assert high == {**auto, "detail": "high"}
    assert (auto["image"], auto["width"], auto["height"]) == (str(photo), 1344, 896)


@pytest.mark.parametrize("model", ["grok-4", "grok-4.3"], ids=["tiles", "patches"])
def test_the_squares_are_drawn_over_a_copy(photo: Path, tmp_path: Path, model: str):
    before = photo.read_bytes()

    result = run_llm("grok-vision", "tokens", photo, "-m", model, "--draw", tmp_path / "out.png")

    assert result.exit_code == 0
    assert photo.read_bytes() == before
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (1344, 896)
        # The border of the second square, in a picture that was black.
        assert drawn.getpixel((448 if model == "grok-4" else 32, 200)) == (255, 255, 255)


def test_each_tile_has_its_number(photo: Path, tmp_path: Path):
    run_llm("grok-vision", "tokens", photo, "--draw", tmp_path / "out.png")

    with Image.open(tmp_path / "out.png") as drawn:
        corners = [
            drawn.crop((left + 12, top + 10, left + 80, top + 80)).tobytes()
            for top in (0, 448)
            for left in (0, 448, 896)
        ]
    assert len(set(corners)) == 6
    assert all(b"\xff\xff\xff" in corner for corner in corners)


def test_tiles_can_be_told_apart_in_a_white_picture(tmp_path: Path):
    Image.new("RGB", (896, 448), "white").save(tmp_path / "white.png")

    run_llm("grok-vision", "tokens", tmp_path / "white.png", "--draw", tmp_path / "out.png")

    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.getpixel((449, 200)) == (0, 0, 0)


def test_a_photo_that_exif_turns_is_drawn_as_it_is_counted(photo: Path, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(photo) as picture:
        picture.convert("RGB").save(tmp_path / "turned.jpg", exif=exif)

    run_llm("grok-vision", "tokens", tmp_path / "turned.jpg", "--draw", tmp_path / "out.png")

    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (1344, 896)


@pytest.mark.parametrize("model", ["grok-4", "grok-4.3"], ids=["tiles", "patches"])
def test_the_count_is_written_below(photo: Path, tmp_path: Path, model: str):
    run_llm("grok-vision", "tokens", photo, "-m", model, "--draw", tmp_path / "out.png")

    # What is white here is neither the border of a tile nor that of a patch.
    with Image.open(tmp_path / "out.png") as drawn:
        inside = [drawn.getpixel((x, 880)) for x in range(12, 400) if x % 32]
    assert (255, 255, 255) in inside


@pytest.mark.parametrize(
    ("model", "cost", "said"),
    [
        ("grok-4", tiled(1344, 896, "high"), "grok-4: 6 tiles: 1792 tokens"),
        ("grok-4", tiled(1345, 896, "high"), "grok-4: 8 tiles, counted as 6: 1792 tokens"),
        ("grok-4.3", patched(1344, 896, "high"), "grok-4.3: 1176 patches: 1178 tokens"),
    ],
)
def test_a_drawing_says_how_its_squares_are_counted(model: str, cost: Cost, said: str):
    assert _caption(find_model(model), cost) == said


MISTAKES = [
    pytest.param(["none.jpg"], "none.jpg could not be read: No such file", id="no-file"),
    pytest.param(["a.pdf"], "a.pdf is a PDF", id="no-image"),
    pytest.param(["a.png", "-m", "gpt-9"], "There is no model gpt-9", id="no-model"),
    pytest.param(["a.png", "--draw", "no/x.png"], "no/x.png could not be written", id="no-folder"),
    pytest.param(["a.png", "--draw", "x.nothing"], "x.nothing could not be", id="no-type"),
    pytest.param(["a.png", "a.png", "--draw", "x.png"], "takes one image at a time", id="two"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_a_mistake_is_one_sentence(
    arguments: list[str],
    said: str,
    image_file: Callable[[str, bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
):
    folder = image_file("a.png", picture(64, 64)).parent
    image_file("a.pdf", picture(64, 64, "PDF"))
    monkeypatch.chdir(folder)

    result = run_llm("grok-vision", "tokens", *arguments)

    assert said in shown_error(result)


def test_the_models_are_listed_with_what_they_cost():
    lines = run_llm("grok-vision", "models").stdout.splitlines()

    assert lines[0].split() == [
        "model",
        "context",
        "$/M",
        "in",
        "$/M",
        "out",
        "images",
        "by",
        "status",
    ]
    assert ["xai/grok-4", "256,000", "3", "15", "tiles", "retired"] in [
        line.split() for line in lines
    ]


def test_the_models_are_listed_as_json():
    rows = json.loads(run_llm("grok-vision", "models", "--json").stdout)

    (row,) = [row for row in rows if row["model_id"] == "xai/grok-4.6"]
    assert (row["prompt_price"], row["accounting"], row["is_current"]) == (2, "patches", True)


def test_the_commands_say_how_they_are_used():
    shown = run_llm("grok-vision", "tokens", "--help").stdout

    assert "$ llm grok-vision tokens photo.jpg --draw tiles.png" in shown


def test_a_bad_file_does_not_hide_what_the_others_cost(image_file: WriteFile):
    good = image_file("good.png", picture(64, 64))
    cut = image_file("cut.png", picture(64, 64)[:40])

    result = run_llm("grok-vision", "tokens", cut, good)

    assert result.exit_code == 1
    assert str(good) in result.stdout
    assert f"Error: {cut} is a PNG that ends too early" in result.stderr


def test_a_drawing_does_not_take_the_place_of_the_image(image_file: WriteFile):
    photo = image_file("photo.png", picture(64, 64))

    result = run_llm("grok-vision", "tokens", photo, "--draw", photo)

    assert shown_error(result) == f"Error: {photo} is the image itself; draw into another file.\n"
    assert photo.read_bytes() == picture(64, 64)


def test_a_drawing_takes_the_place_of_an_earlier_one(photo: Path, tmp_path: Path):
    out = tmp_path / "out.png"
    out.write_bytes(picture(64, 64))

    result = run_llm("grok-vision", "tokens", photo, "--draw", out)

    assert result.exit_code == 0
    with Image.open(out) as drawn:
        assert drawn.size == (1344, 896)


def test_a_drawing_shows_the_image_as_it_looks(image_file: WriteFile, tmp_path: Path):
    """16 bits a channel are scaled, and what is transparent is white."""
    deep = Image.new("I;16", (900, 900), 32768)
    clear = Image.new("RGBA", (900, 900), (0, 0, 0, 0))
    for number, made in enumerate((deep, clear)):
        made.save(tmp_path / f"{number}.png")

    for number, expected in ((0, 128), (1, 255)):
        out = tmp_path / f"{number}-drawn.png"
        result = run_llm("grok-vision", "tokens", tmp_path / f"{number}.png", "--draw", out)
        assert result.exit_code == 0, result.output
        with Image.open(out) as drawn:
            assert drawn.getpixel((700, 300)) == pytest.approx((expected,) * 3, abs=1)


def test_an_image_that_cannot_be_drawn_is_said_to_be_damaged(image_file: WriteFile):
    broken = image_file("broken.png", png_header(64, 64))

    result = run_llm("grok-vision", "tokens", broken, "--draw", broken.with_name("out.png"))

    assert f"{broken} begins like a PNG and cannot be read here" in result.stderr
    assert result.exit_code == 1
