"""A film of a run, drawn by the host's own screen, which needs no window: larvae colored by the gain of a stimulus."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, checks, drawing
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import sampling
from kenyon.larvaworld_plugin.arena import FOOD, sources_of
from kenyon.larvaworld_plugin.events import Event, RunBegan, RunEnded, TickLived
from kenyon.words import clean, shown

_SIZE = 720
"""Pixels across the longer side of the arena."""

_LEGEND = 64
"""Pixels below the arena for what the colors mean."""

_MARGIN, _BAR, _HEAD = 16, 160, 5

_TRAIL_S = 20.0
"""How long a way behind a larva is drawn, s."""

_PATCH = "#F2CF7C"
"""Of a patch of food: a light orange, on which larvae are seen."""

_MIDDLE = "#8C8C8C"
"""Of a larva whose gain is 0: seen on white and on food."""

_SHADES = 32
"""Larvae are colored anew only where one can see it."""


class Film:
    """Listens to a run of the host and makes a film of it.

    Larvae are vermilion where the gain of a stimulus leads them away from it, gray at 0, and blue where it leads them
    toward it; ground with food is light orange, and each source has the name of what it smells of. The larvae live as
    they would without.

    Args:
        path: The file, whose name ends with .mp4.
        stimulus: Whose gain colors the larvae; the first that they learn about, if absent.
        every_s: Time of the larvae between two frames, s.
        fps: Frames in a second of the film: it is `every_s * fps` times as fast as larvae are.
        overwrite: Replace a file that is there.

    Raises:
        InputError: a value is out of range, or the file exists and is not to be replaced. When the run begins: it draws
            a screen of its own, or its larvae do not learn about the stimulus.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        stimulus: str | None = None,
        every_s: float = 0.5,
        fps: int = 20,
        overwrite: bool = False,
    ) -> None:
        self._path = checks.path("path", path)
        if self._path.suffix != ".mp4":
            raise InputError(f"the suffix of {self._path} must be .mp4, got {shown(self._path.suffix)}")
        self._stimulus = None if stimulus is None else checks.label("stimulus", stimulus)
        self._every_s = checks.number("every_s", every_s, low=0.1, high=3600.0, unit="s")
        self._fps = checks.integer("fps", fps, low=1, high=120)
        self._overwrite = checks.boolean("overwrite", overwrite)
        if self._path.exists() and not self._overwrite:
            raise InputError(f"{self._path} must not exist yet; allow it to be replaced, or give another name")
        self._file: ExitStack | None = None

    def __call__(self, event: Event) -> None:
        """Begin the film, draw a frame, or end it."""
        if isinstance(event, RunBegan):
            self._begin(event)
        elif isinstance(event, TickLived) and event.tick % self._every == 0:
            self._draw(event)
        elif isinstance(event, RunEnded):
            self._end(event)

    def _begin(self, event: RunBegan) -> None:
        self._refuse(event)
        self._agents, self._memories = event.agents, event.memories
        self._full = sampling.full_gain(event.memories)
        self._every = max(1, round(self._every_s / event.dt_s))
        self._colors: list[str | None] = [None] * len(event.agents)
        self._file = ExitStack()
        file = self._file.enter_context(archive.replacing(self._path, overwrite=self._overwrite))
        _open(event.run.screen_manager, file, self._fps)
        _dress(event.run)
        who = f"{len(event.larvae)} {', '.join(dict.fromkeys(event.models))} in {event.experiment}"
        self._overlay = _Overlay(event, who, self._stimulus or "", self._full)

    def _refuse(self, event: RunBegan) -> None:
        """Refuse a run of which there cannot be a film, and see whose gain is shown."""
        if self._file is not None or event.generation is not None:
            raise InputError("a film must be of one run, got several; give each a film of its own")
        if event.run.screen_manager.active:
            raise InputError("a run that is filmed must draw no screen of its own; leave screen_kws out")
        stimuli = sampling.stimuli_of(event.memories)
        if self._stimulus is None:
            self._stimulus = next(iter(stimuli), None)
        else:
            checks.one_of("stimulus of a film", self._stimulus, stimuli)

    def _draw(self, event: TickLived) -> None:
        if self._stimulus is not None:
            gains = sampling.gains(self._memories, [self._stimulus])[:, 0]
            for place, color in enumerate(map(color_of, gains / self._full)):
                if color != self._colors[place]:
                    self._colors[place] = color
                    self._agents[place].set_default_color(color)
        screen = event.run.screen_manager
        screen.side_panel = self._overlay  # The host draws it last, over all else.
        self._overlay.time_s = event.time_s
        screen.render()

    def _end(self, event: RunEnded) -> None:
        """Put the film where it belongs, be the run complete or not."""
        if self._file is not None:
            event.run.screen_manager.close()
            self._file.close()


def color_of(share: float) -> str:
    """Return the color of a larva whose gain is a share of what colors it in full, from -1 to 1; nan is gray.

    Example:
        >>> color_of(-1.0), color_of(0.0), color_of(1.0)
        ('#d55e00', '#8c8c8c', '#0072b2')
    """
    part = 0.0 if np.isnan(share) else round(float(np.clip(share, -1.0, 1.0)) * _SHADES) / _SHADES
    end = _channels(drawing.BLUE if part > 0.0 else drawing.VERMILION)
    mixed = _channels(_MIDDLE) + abs(part) * (end - _channels(_MIDDLE))
    return "#{:02x}{:02x}{:02x}".format(*(int(channel) for channel in mixed.round()))


def _channels(color: str) -> NDArray[np.float64]:
    return np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)], dtype=float)


def _open(screen: Any, file: Path, fps: int) -> None:
    """Let the screen of a run draw into a film, without a window; it opens the file in the first tick."""
    import pygame

    width_m, height_m = screen.model.space.dims
    scale = _SIZE / max(width_m, height_m)
    width, height = (max(16, round(side * scale / 16) * 16) for side in (width_m, height_m))
    screen.dims = (width, height)
    screen.set_bounds()
    screen.v = pygame.Surface((width, height + _LEGEND))
    screen.param.update(
        save_video=True,
        media_dir=str(file.parent),
        video_file=file.stem,
        intro_text=False,
        draw_midline=False,
        visible_trails=True,
        trail_dt=_TRAIL_S,
    )
    screen._fps = fps  # noqa: SLF001  # otherwise a multiple of ten


def _dress(run: Any) -> None:
    """Give food the color that it has in figures, and all else that smells a color that is no larva's."""
    if run.food_grid is not None:
        run.food_grid.color = FOOD
    for source in run.sources:
        source.set_default_color(_PATCH if source.amount > 0.0 else "#333333")


class _Overlay:
    """Draws, over what the host draws, heads of larvae and names of what smells, and below the arena what is seen.

    Attributes:
        time_s: How long the larvae have lived, s.
    """

    def __init__(self, event: RunBegan, who: str, stimulus: str, full: float) -> None:
        self._run, self._agents = event.run, event.agents
        self._who, self._stimulus, self._full = clean(who, 60), clean(stimulus, 20), full
        self.time_s = 0.0

    def draw(self, screen: Any) -> None:
        """Draw all of it; the host calls this for each frame."""
        import pygame

        screen.screen_clock.visible = screen.screen_state.visible = False
        font = pygame.font.Font(None, 24)
        for agent in self._agents:
            at = screen._transform(agent.olfactor_pos)  # noqa: SLF001  # the one way from m to pixels
            pygame.draw.circle(screen.v, agent.default_color, at, _HEAD)
            pygame.draw.circle(screen.v, "black", at, _HEAD, 1)
        for source in sources_of(self._run):
            if source.stimulus is not None and source.radius_m is not None:
                x, y = screen._transform((source.x, source.y - source.radius_m))  # noqa: SLF001  # as above
                _write(screen.v, font, clean(source.stimulus, 20), (x, y + 12), "middle")
        top = screen.h
        screen.v.fill((255, 255, 255), (0, top, screen.w, _LEGEND))
        screen.v.fill((200, 200, 200), (0, top, screen.w, 1))
        minutes, seconds = divmod(round(self.time_s), 60)
        _write(screen.v, font, self._who, (_MARGIN, top + 20), "left")
        _write(screen.v, font, f"{minutes}:{seconds:02d} min", (_MARGIN, top + 44), "left")
        if self._stimulus:
            self._draw_colors(screen, font, top)

    def _draw_colors(self, screen: Any, font: Any, top: int) -> None:
        left = screen.w - _BAR - 2 * _MARGIN
        for place in range(_BAR):
            color = color_of(2 * place / (_BAR - 1) - 1)
            screen.v.fill([int(channel) for channel in _channels(color)], (left + place, top + 10, 1, 16))
        _write(screen.v, font, f"gain of {self._stimulus}", (left - _MARGIN, top + 20), "right")
        for share in (-1, 0, 1):
            number = f"{share * self._full:.3g}".replace("-", "\N{MINUS SIGN}")
            _write(screen.v, font, number, (left + (share + 1) * _BAR // 2, top + 44), "middle")


def _write(surface: Any, font: Any, words: str, at: tuple[int, int], side: str) -> None:
    drawn = font.render(words, True, (0, 0, 0))  # smooth; by place only
    box = drawn.get_rect(**{{"left": "midleft", "right": "midright", "middle": "center"}[side]: at})
    surface.blit(drawn, box)
