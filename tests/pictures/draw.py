"""Draws the pictures of the demo's fourth thread into `bot/shell/samples`: python -m tests.pictures.draw

They are ours, and free as the rest of the repository is.
"""

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SAMPLES = Path(__file__).resolve().parents[2] / "bot" / "shell" / "samples"
WIDTH, HEIGHT = 960, 640
FINE = 3  # drawn so many times larger, for smooth edges
Colour = tuple[int, ...]
Point = tuple[float, float]


class Sheet:
    """A picture in the making; places are those of the finished one."""

    def __init__(self, top: Colour, bottom: Colour) -> None:
        size = (WIDTH * FINE, HEIGHT * FINE)
        shade = Image.linear_gradient("L").resize(size)
        self.image = Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), shade)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def shape(self, colour: Colour, *points: Point) -> None:
        self._draw.polygon([_fine(point) for point in points], fill=colour)

    def line(self, colour: Colour, width: float, *points: Point) -> None:
        self._draw.line(
            [_fine(point) for point in points], fill=colour, width=round(width * FINE), joint="curve"
        )

    def disc(self, colour: Colour, centre: Point, radius: float) -> None:
        self._draw.circle(_fine(centre), radius * FINE, fill=colour)

    def glow(self, colour: Colour, softness: float, *points: Point) -> None:
        """Add light to what is there."""
        light = Image.new("RGB", self.image.size)
        ImageDraw.Draw(light).polygon([_fine(point) for point in points], fill=colour)
        self.image.paste(ImageChops.add(self.image, light.filter(ImageFilter.GaussianBlur(softness * FINE))))

    def sea(self, colour: Colour, level: float, height: float, length: float, phase: float = 0) -> None:
        """A row of waves with a crest of foam, down to the lower edge."""
        crest = list(waves(level, height, length, phase))
        self.shape(colour, *crest, (WIDTH, HEIGHT), (0, HEIGHT))
        self.line((*(min(255, one + 42) for one in colour), 150), 2.5, *crest)

    def finished(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _fine(point: Point) -> Point:
    return point[0] * FINE, point[1] * FINE


def waves(level: float, height: float, length: float, phase: float) -> Iterator[Point]:
    """Points of a crest: pointed above, round below, as waves are."""
    for x in range(0, WIDTH + 8, 8):
        yield x, level - height * (1 - 2 * abs(math.sin(math.pi * x / length + phase)) ** 0.8)


def tower(sheet: Sheet, foot: Point, size: float) -> None:
    """A lighthouse, red and white; `size` 1 is 300 high."""
    x, y = foot

    def at(dx: float, dy: float) -> Point:
        return x + dx * size, y - dy * size

    for step in range(5):
        low, high = 46 * step, 46 * (step + 1)
        left, right = 46 - low * 0.09, 46 - high * 0.09
        colour = ((196, 52, 48), (238, 234, 226))[step % 2]
        sheet.shape(colour, at(-left, low), at(left, low), at(right, high), at(-right, high))
        sheet.shape(
            (20, 26, 40, 70), at(left * 0.35, low), at(left, low), at(right, high), at(right * 0.35, high)
        )
    for height in (52, 144):
        sheet.shape((38, 42, 56), at(-7, height), at(7, height), at(7, height + 22), at(-7, height + 22))
    sheet.shape((38, 42, 56), at(-38, 230), at(38, 230), at(38, 238), at(-38, 238))
    sheet.shape((255, 226, 140), at(-20, 238), at(20, 238), at(20, 274), at(-20, 274))
    for post in (-20, -7, 7, 20):
        sheet.line((38, 42, 56), 3 * size, at(post, 238), at(post, 274))
    sheet.shape((38, 42, 56), at(-27, 273), at(27, 273), at(0, 302))


def lighthouse() -> Image.Image:
    sheet, chance = Sheet((11, 17, 38), (52, 78, 104)), random.Random(1838)  # noqa: S311  # where rain falls
    for number in range(9):
        x, y = chance.uniform(-80, WIDTH), chance.uniform(20, 190)
        for puff in range(5):
            sheet.disc(
                (18 + number, 24 + number, 46, 120), (x + puff * 46, y + 12 * (puff % 2)), 52 - 4 * puff
            )
    lamp = (660, 192)
    sheet.glow((120, 108, 62), 7, lamp, (0, 70), (0, 250))
    sheet.glow((70, 63, 38), 7, lamp, (WIDTH, 140), (WIDTH, 232))
    sheet.sea((33, 62, 88), 430, 14, 120)
    sheet.shape(
        *((24, 26, 36), (480, 520), (540, 462), (590, 446), (640, 440), (712, 438), (752, 462), (820, 480)),
        *((880, 540), (900, 600), (470, 600)),
    )
    tower(sheet, (662, 450), 0.93)
    sheet.glow(
        (110, 96, 50),
        16,
        *((lamp[0] + dx, lamp[1] + dy) for dx, dy in ((-34, -30), (34, -30), (34, 30), (-34, 30))),
    )
    sheet.sea((26, 52, 78), 502, 24, 176, 0.8)
    sheet.sea((19, 41, 65), 566, 22, 232, 2.1)
    for _ in range(170):
        x, y = chance.uniform(0, WIDTH + 120), chance.uniform(-20, HEIGHT)
        sheet.line((190, 210, 230, 70), 1.3, (x, y), (x - 13, y + 34))
    return sheet.finished()


def boat() -> Image.Image:
    sheet, chance = Sheet((88, 104, 122), (178, 188, 190)), random.Random(9)  # noqa: S311
    sheet.sea((84, 112, 128), 300, 12, 110)
    sheet.shape((34, 38, 50), (600, 306), (628, 262), (664, 280), (690, 240), (730, 262), (790, 306))
    sheet.shape((60, 44, 44), (640, 268), (652, 222), (744, 214), (722, 262))  # half of a ship
    sheet.line((60, 44, 44), 5, (684, 222), (662, 128))
    sheet.line((60, 44, 44), 3, (652, 172), (694, 160))
    sheet.sea((66, 98, 118), 362, 26, 210, 0.6)
    sheet.shape((150, 84, 50), (196, 404), (250, 452), (428, 436), (478, 376), (440, 402), (300, 420))
    sheet.shape((112, 58, 36), (214, 424), (250, 452), (428, 436), (452, 408), (430, 420), (300, 434))
    for x, y, coat in ((292, 414, (46, 66, 116)), (382, 404, (122, 46, 60))):
        sheet.shape(coat, (x - 22, y + 6), (x + 20, y), (x + 12, y - 50), (x - 8, y - 52))
        sheet.disc((230, 190, 160), (x + 6, y - 66), 14)
        sheet.shape((40, 34, 40), (x - 10, y - 68), (x - 4, y - 84), (x + 14, y - 84), (x + 21, y - 69))
        sheet.line(coat, 8, (x + 4, y - 40), (x + 34, y - 24))
        sheet.line((214, 186, 140), 5, (x + 42, y - 36), (x - 66, y + 62))
        sheet.line((214, 186, 140), 11, (x - 48, y + 46), (x - 66, y + 62))
    sheet.sea((48, 80, 102), 470, 38, 300, 1.9)
    sheet.sea((36, 64, 86), 566, 30, 250, 0.4)
    for _ in range(60):
        foam = (chance.uniform(60, WIDTH - 60), chance.uniform(330, 600))
        sheet.disc((226, 236, 238, 120), foam, chance.uniform(1, 3.4))
    return sheet.finished()


def morning() -> Image.Image:
    sheet = Sheet((236, 158, 120), (252, 226, 178))
    sheet.disc((255, 240, 200, 90), (330, 330), 150)
    sheet.disc((255, 246, 214), (330, 330), 84)
    sheet.sea((206, 140, 122), 372, 3, 150)
    tower(sheet, (716, 372), 0.6)
    sheet.shape((92, 66, 78), (600, 392), (650, 366), (712, 358), (772, 366), (860, 396))
    for step, colour in enumerate(((188, 122, 116), (162, 104, 112), (132, 86, 106), (100, 70, 98))):
        sheet.sea(colour, 404 + 58 * step, 4 + 2 * step, 190 + 40 * step, step * 0.9)
    for step in range(9):
        half = 74 - 5 * step
        sheet.line((255, 238, 200, 170), 4, (330 - half, 392 + 26 * step), (330 + half - 14, 392 + 26 * step))
    for x, y, wing in ((480, 150, 26), (540, 190, 20), (450, 214, 15), (164, 128, 18)):
        sheet.line((84, 62, 76), 3.4, (x - wing, y - wing * 0.5), (x - wing * 0.4, y - wing * 0.6), (x, y))
        sheet.line((84, 62, 76), 3.4, (x, y), (x + wing * 0.4, y - wing * 0.6), (x + wing, y - wing * 0.5))
    return sheet.finished()


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "lighthouse.jpg": lighthouse,
    "boat.jpg": boat,
    "morning.png": morning,
}


def main() -> None:
    for name, drawn in PICTURES.items():
        picture = drawn()
        if name.endswith(".png"):
            picture = picture.quantize(96, dither=Image.Dither.NONE)
        picture.save(SAMPLES / name, quality=80, optimize=True)


if __name__ == "__main__":
    main()
