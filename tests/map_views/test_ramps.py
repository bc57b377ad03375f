"""Whether the map's colours are told apart by those who see fewer of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from map_views.folium_map import RAMPS

Colour = NDArray[np.float64]
# Of linear RGB, for whoever lacks one kind of cone altogether: Machado, Oliveira and
# Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency"
# (2009), severity 1.
SIGHTS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Oklab (Ottosson, 2020): from linear RGB to the cones' answers, and from their cube
# roots to lightness and two hues, where equal distances look equally far apart.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# Two colours side by side can just be told apart at some 0.02.
NEXT_TO_EACH_OTHER = 0.085
OF_ANOTHER_STATE = 0.06

everyone = pytest.mark.parametrize("sight", SIGHTS)
schemes = pytest.mark.parametrize("scheme", RAMPS)


def seen(colour: str, sight: str) -> Colour:
    """A colour as it looks, in Oklab."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    cones = TO_CONES @ np.clip(SIGHTS[sight] @ linear, 0, 1)
    lab: Colour = TO_OKLAB @ np.cbrt(cones)
    return lab


def apart(one: str, other: str, sight: str) -> float:
    return float(np.linalg.norm(seen(one, sight) - seen(other, sight)))


def steps(scheme: str, state: str) -> list[str]:
    return [colour for _, colour in sorted(RAMPS[scheme][state].items())]


def test_red_and_green_look_nearly_alike_to_who_lacks_a_cone() -> None:
    """The simulation simulates: what a good eye tells apart, this one does not."""
    red, green = "#c05a3c", "#7d7d20"

    assert apart(red, green, "deuteranopia") < apart(red, green, "full") / 2
    assert apart("#ffffff", "#000000", "deuteranopia") == pytest.approx(1, abs=0.01)


@everyone
@schemes
@pytest.mark.parametrize("state", ["open", "resolved", "both"])
def test_each_step_of_a_ramp_is_told_from_the_next(
    scheme: str, state: str, sight: str
) -> None:
    colours = steps(scheme, state)

    for one, other in pairwise(colours):
        assert apart(one, other, sight) > NEXT_TO_EACH_OTHER, (one, other)


@everyone
@schemes
def test_as_many_open_cases_look_unlike_as_many_resolved(
    scheme: str, sight: str
) -> None:
    for one, other in zip(
        steps(scheme, "open"), steps(scheme, "resolved"), strict=True
    ):
        assert apart(one, other, sight) > OF_ANOTHER_STATE, (one, other)
