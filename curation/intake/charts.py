"""The intake page's chart: a finished Plotly figure as JSON, for the light or the dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Figure = dict[str, Any]
Theme = Literal["light", "dark"]

FONT = "Inter, ui-sans-serif, system-ui, sans-serif"
INK = {"light": "#374151", "dark": "#d1d5db"}
GRID = "rgba(128, 138, 155, 0.28)"
CONFIG: dict[str, Any] = {"responsive": True, "displayModeBar": False}
# At least 3:1 against both page grounds; the hatching tells them apart without colour.
SERIES = (
    ("accepted", "#2f7de1", ""),
    ("quarantined", "#b7791f", "/"),
    ("rejected", "#d6453d", "x"),
    ("duplicates", "#7c8798", "."),
)


@dataclass(frozen=True)
class Bar:
    """The counts of one stretch of time, in the order of :data:`SERIES`."""

    at: datetime
    counts: tuple[int, int, int, int]


@dataclass(frozen=True)
class DataTable:
    """A figure's numbers for those who cannot see it."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def events_over_time(
    bars: Sequence[Bar], *, since: datetime, until: datetime, step: timedelta, theme: Theme
) -> Figure:
    """Stacked bars of what became of events, per minute; says so where there are none."""
    layout: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": INK[theme]},
        "margin": {"l": 8, "r": 16, "t": 32, "b": 8},
        "height": 300,
        "barmode": "stack",
        "bargap": 0.15,
        "hovermode": "x unified",
        "hoverlabel": {"font": {"family": FONT, "color": "#151a22"}, "bgcolor": "#ffffff"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
    }
    if not bars:
        note = {
            "text": "No events in this time.",
            "x": 0.5,
            "y": 0.5,
            "xref": "paper",
            "yref": "paper",
            "showarrow": False,
        }
        hidden = {"visible": False}
        empty = {"height": 120, "xaxis": hidden, "yaxis": hidden, "annotations": [note]}
        return {"data": [], "layout": layout | empty}
    layout |= {
        "xaxis": _axis("Time (UTC)", theme)
        | {
            "type": "date",
            "range": [since.isoformat(), until.isoformat()],
            "nticks": 6,
            "tickformat": "%H:%M\n%d %b",
        },
        "yaxis": _axis("Events per minute", theme) | {"rangemode": "tozero", "nticks": 5},
    }
    return {"data": [_trace(number, bars, step) for number in range(len(SERIES))], "layout": layout}


def data_table(bars: Sequence[Bar]) -> DataTable:
    """The numbers behind the figure."""
    return DataTable(
        "Events over time, by what became of them",
        ("From (UTC)", *(name.capitalize() for name, _, _ in SERIES)),
        tuple(
            (f"{bar.at:%Y-%m-%d %H:%M}", *(f"{count:,}" for count in bar.counts)) for bar in bars
        ),
    )


def _trace(number: int, bars: Sequence[Bar], step: timedelta) -> dict[str, Any]:
    name, colour, hatching = SERIES[number]
    minutes = step / timedelta(minutes=1)
    return {
        "type": "bar",
        "name": name,
        "x": [bar.at.isoformat() for bar in bars],
        "y": [bar.counts[number] / minutes for bar in bars],
        "width": step / timedelta(milliseconds=1) * 0.85,
        "offset": 0,
        "customdata": [bar.counts[number] for bar in bars],
        "hovertemplate": "%{customdata:,}",
        "marker": {"color": colour, "pattern": _hatching(hatching)},
    }


def _hatching(shape: str) -> dict[str, Any]:
    """White strokes over the colour: a thin bar keeps its colour, a wide one has a mark too."""
    return {
        "shape": shape,
        "fillmode": "overlay",
        "fgcolor": "#ffffff",
        "fgopacity": 0.55,
        "size": 6,
        "solidity": 0.25,
    }


def _axis(title: str, theme: Theme) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "fixedrange": True,  # Dragging to zoom traps a finger that wants to scroll.
        "gridcolor": GRID,
        "linecolor": GRID,
        "tickfont": {"color": INK[theme]},
    }
