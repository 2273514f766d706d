"""The pictures that the README's applications start from: python inputs.py ROCKET COFFEE FOLDER.

ROCKET and COFFEE are rocket.jpg and coffee.png of scikit-image (CC0). Into FOLDER come, 160 px wide: small.png (the
rocket), paint.png (a clip-art), saucer.png and saucer-mask.png (a coffee cup pasted into its sky), moved.png and
moved-mask.png (the rocket copied twice within its picture).
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIZE = (160, 107)
ROCKET = (72, 30, 90, 103)  # where it stands, in that size
SAUCER = (78, 38, 482, 388)  # of the coffee cup, in its own 600x400


def clip_art() -> Image.Image:
    """A sky, the ground, two rockets and some lamps, in the rocket's colours."""
    art = Image.new("RGB", SIZE, (40, 55, 95))
    draw = ImageDraw.Draw(art)
    draw.rectangle((0, 0, 159, 35), fill=(22, 32, 62))
    draw.rectangle((0, 93, 159, 106), fill=(38, 34, 42))
    for x in (42, 118):
        draw.polygon([(x - 3, 40), (x, 30), (x + 3, 40), (x + 3, 101), (x - 3, 101)], fill=(225, 215, 190))
        draw.rectangle((x - 12, 101, x + 12, 106), fill=(150, 110, 75))
    for x in (12, 70, 90, 148):
        draw.ellipse((x - 2, 95, x + 2, 99), fill=(255, 205, 110))
    return art


def pasted(rocket: Image.Image, coffee: Image.Image) -> tuple[Image.Image, Image.Image]:
    """A cup and its saucer in the sky, and where."""
    place = (100, 12, 140, 40)
    width, height = place[2] - place[0], place[3] - place[1]
    cup = coffee.crop(SAUCER).resize((width, height), Image.Resampling.BICUBIC)
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse((place[0], place[1], place[2] - 1, place[3] - 1), fill=255)
    layer = rocket.copy()
    layer.paste(cup, place[:2])
    return Image.composite(layer, rocket, mask), mask


def moved(rocket: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The rocket twice more, to the left and to the right, as crude boxes; and where."""
    edited, mask = rocket.copy(), Image.new("L", SIZE)
    for x in (26, 118):
        edited.paste(rocket.crop(ROCKET), (x, ROCKET[1]))
        ImageDraw.Draw(mask).rectangle((x, ROCKET[1], x + ROCKET[2] - ROCKET[0] - 1, ROCKET[3] - 1), fill=255)
    return edited, mask


def main(rocket: str, coffee: str, folder: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    small = Image.open(rocket).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    small.save(out / "small.png")
    clip_art().filter(ImageFilter.SMOOTH).save(out / "paint.png")
    for name, (picture, mask) in {
        "saucer": pasted(small, Image.open(coffee).convert("RGB")),
        "moved": moved(small),
    }.items():
        picture.save(out / f"{name}.png")
        mask.save(out / f"{name}-mask.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
