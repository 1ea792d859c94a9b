"""The colours of candidates: any two are told apart by everybody, and each stands out from its background.

Colour blindness is simulated by Machado, Oliveira & Fernandes 2009 (IEEE TVCG 15:1291, severity 1, in linear RGB);
distances are CIEDE2000 (Sharma, Wu & Dalal 2005); contrast is that of WCAG 2, which asks for 3 : 1 of graphics.
"""

import itertools
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.report.drawing import PALETTES, theme_config

Floats = NDArray[np.float64]
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LEAST_DISTANCE = 13.0
"""About six times what is just noticed; the palette of Okabe & Ito has 10.9 on the same scale."""
ROOT = Path(__file__).parents[1]


def linear(colour: str) -> Floats:
    rgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Floats) -> Floats:
    t = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    x, y, z = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(first: Floats, second: Floats) -> float:
    (l1, a1, b1), (l2, a2, b2) = first, second
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(c**7 / (c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    dh = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    mean_h = (h1 + dh / 2) % 360 if c1 * c2 else h1 + h2
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * cos(mean_h - 30) + 0.24 * cos(2 * mean_h) + 0.32 * cos(3 * mean_h + 6) - 0.2 * cos(4 * mean_h - 63)
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turn = 60 * np.exp(-(((mean_h - 275) / 25) ** 2))
    rt = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * np.sin(np.radians(turn))
    parts = (l2 - l1) / sl, (c2 - c1) / sc, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2)) / sh
    return float(np.sqrt(sum(part**2 for part in parts) + rt * parts[1] * parts[2]))


def cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def contrast(first: str, second: str) -> float:
    light, dark = sorted((float(XYZ[1] @ linear(colour)) for colour in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_distance_is_that_of_the_published_test_data() -> None:
    pairs = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ]
    for first, second, published in pairs:
        assert ciede2000(np.array(first), np.array(second)) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_two_candidates_are_told_apart_by_everybody(theme: Literal["light", "dark"], sight: str) -> None:
    colours = theme_config(theme)["range"]["category"]
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in colours]
    closest = min(
        (ciede2000(seen[i], seen[j]), colours[i], colours[j]) for i, j in itertools.combinations(range(len(colours)), 2)
    )
    assert closest[0] >= LEAST_DISTANCE, closest


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_out_from_its_background(theme: Literal["light", "dark"]) -> None:
    background = theme_config(theme)["background"]
    assert min(contrast(colour, background) for colour in PALETTES[theme]) >= 3


def test_app_and_report_use_the_same_palettes() -> None:
    for sheet in ("workbench/assets/charts.css", "workbench/report/report.css"):
        css = (ROOT / sheet).read_text(encoding="utf-8")
        found = [tuple(re.findall(r"--series-\d: (#[0-9a-f]{6})", rule)) for rule in re.findall(r"\{[^{}]*\}", css)]
        assert PALETTES["dark"] in found, sheet
        assert {colours for colours in found if colours} <= set(PALETTES.values()), sheet
