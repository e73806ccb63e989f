"""Our own plants as one sees them: a pole that moves, an arm's path."""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.control.loop import Episode
from kanspice.experiments.control.plants import PlanarArm
from kanspice.experiments.control.plants.cartpole import HALF_LENGTH_M, MOST_M, SCALE, STEP_S, STEPS_PER_ACTION
from kanspice.experiments.control.result import ControlResult
from kanspice.report.figures import BLUE, GREY, VERMILLION, encoded, picture
from kanspice.report.templates import inside

_SHOWN_PERIODS = 200
_WIDTH, _HEIGHT, _PX_PER_M = 480.0, 190.0, 90.0
_GROUND = 150.0


def motion(result: ControlResult, place: int) -> tuple[str, str] | None:
    """What a reader who cannot see it is told, and the picture's address; None for a plant without a picture."""
    draw = _PICTURES.get(result.plant.name)
    return None if draw is None else draw(result, place)


def _cartpole(result: ControlResult, place: int) -> tuple[str, str]:
    """Both carts on one track in real time, as SVG that moves by itself."""
    reference, circuit = result.pairs[place]
    ends = [_WIDTH / 2 + sign * MOST_M * _PX_PER_M for sign in (-1, 1)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:g}" height="{_HEIGHT:g}"'
        f' viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{_WIDTH:g}" height="{_HEIGHT:g}" fill="white"/>',
        f'<text x="10" y="18">Start {place}, in real time:</text>',
        f'<text x="150" y="18" fill="{VERMILLION}">network</text><text x="205" y="18" fill="{BLUE}">circuit</text>',
        f'<path d="M{ends[0]:g} {_GROUND:g}H{ends[1]:g}" stroke="{GREY}"/>',
        *(f'<path d="M{end:g} {_GROUND - 8:g}v16" stroke="{GREY}" stroke-width="3"/>' for end in ends),
        _cart(reference, VERMILLION, 0.45),
        _cart(circuit, BLUE, 0.9),
        "</svg>",
    ]
    address = "data:image/svg+xml;base64," + base64.b64encode("".join(parts).encode()).decode("ascii")
    return f"The pole from start {place}, network and circuit, moving", address


def _cart(episode: Episode, colour: str, opacity: float) -> str:
    """A cart and its pole, twice HALF_LENGTH_M long, moved through the first periods of an episode, over and over."""
    shown = episode.observations[:_SHOWN_PERIODS] * SCALE
    lasts = f'dur="{max(len(shown) - 1, 1) * STEP_S * STEPS_PER_ACTION:g}s" repeatCount="indefinite"'
    places = ";".join(f"{_WIDTH / 2 + _PX_PER_M * x:.2f} {_GROUND:g}" for x in shown[:, 0])
    angles = ";".join(f"{angle:.2f}" for angle in np.degrees(shown[:, 2]))
    start = places.partition(";")[0]
    length = 2 * HALF_LENGTH_M * _PX_PER_M
    return (
        f'<g opacity="{opacity:g}" transform="translate({start})">'
        f'<animateTransform attributeName="transform" type="translate" values="{places}" {lasts}/>'
        f'<rect x="-22" y="-16" width="44" height="14" fill="{colour}"/>'
        f'<g transform="translate(0 -16)"><path d="M0 0V{-length:g}" stroke="{colour}" stroke-width="6">'
        f'<animateTransform attributeName="transform" type="rotate" values="{angles}" {lasts}/></path></g></g>'
    )


def _arm(result: ControlResult, place: int) -> tuple[str, str]:
    """The target's path, and the hand's with both."""
    reference, circuit = result.pairs[place]
    arm = PlanarArm(reference.commands.shape[1])
    with picture(3.4, f"Start {place}: the hand's path") as (figure, axes):
        target = reference.observations[:-1]
        axes.plot(*target.T, color=GREY, linestyle="--", linewidth=1, label="target")
        for episode, colour, width, label in ((reference, VERMILLION, 2.6, "network"), (circuit, BLUE, 1.0, "circuit")):
            hands = np.array([arm.hand(action) for action in _acted(result, arm, episode)]).reshape(-1, 2)
            axes.plot(*hands.T, color=colour, linewidth=width, alpha=0.5 if width > 1 else 1, label=label)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set(xlabel="ahead (reaches)", ylabel="aside (reaches)")
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return f"The path of the hand from start {place}", inside(encoded(figure))


def _acted(result: ControlResult, arm: PlanarArm, episode: Episode) -> Array:
    """The actions that acted, (periods, joints): limited, and late where they are."""
    late = result.plant.latency
    waiting = np.zeros((late, episode.commands.shape[1]))
    acted = np.concatenate([waiting, episode.commands])[: episode.length]
    limited: Array = np.clip(acted, arm.action_space.low, arm.action_space.high)
    return limited


_PICTURES: dict[str, Callable[[ControlResult, int], tuple[str, str]]] = {"cartpole": _cartpole, "arm": _arm}
