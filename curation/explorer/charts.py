"""The quality pages' charts: finished Plotly figures as JSON, for the light or the dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from curation.intake.charts import FONT, GRID, INK, Figure, Theme

BAR = "#2f7de1"
LINE_HEIGHT = 36


@dataclass(frozen=True)
class Dot:
    """One measure with its interval."""

    name: str
    value: float
    low: float
    high: float
    note: str
    """What it rests on."""


def dots(
    rows: Sequence[Dot], *, axis: str, theme: Theme, marks: Sequence[tuple[float, str]] = ()
) -> Figure:
    """Each measure as a dot with its 95 % interval, one below the other in the order given.

    ``marks`` are levels worth a line, each with its name.
    """
    if not rows:
        return _empty("Nothing has been measured yet.", theme)
    low = min(0.0, *(row.low for row in rows)) if min(row.low for row in rows) < 0.5 else 0.45
    figure = _lines(rows, axis, theme)
    figure["layout"]["xaxis"] |= {"range": [low, 1.02]}
    figure["layout"] |= {
        "shapes": [_mark(at, theme) for at, _ in marks if at >= low],
        "annotations": [_name(at, name, theme) for at, name in marks if at >= low],
    }
    return figure


def gains(rows: Sequence[Dot], *, axis: str, theme: Theme) -> Figure:
    """Gains and losses as dots with their intervals, against nothing gained."""
    if not rows:
        return _empty("Nothing has been measured yet.", theme)
    figure = _lines(rows, axis, theme)
    figure["layout"] |= {
        "shapes": [_mark(0.0, theme)],
        "annotations": [_name(0.0, "no difference", theme)],
    }
    return figure


def _lines(rows: Sequence[Dot], axis: str, theme: Theme) -> Figure:
    """One dot a line, in the order given."""
    names = [row.name for row in rows]
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": [row.value for row in rows],
        "y": names,
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [row.high - row.value for row in rows],
            "arrayminus": [row.value - row.low for row in rows],
            "color": BAR,
            "thickness": 2,
        },
        "marker": {"size": 11, "color": BAR},
        "text": [f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f}), {row.note}" for row in rows],
        "hovertemplate": "%{y}<br>%{text}<extra></extra>",
    }
    figure = _figure([dot], theme)
    figure["layout"] |= {
        "height": 90 + LINE_HEIGHT * len(rows),
        "xaxis": _axis(axis, theme) | {"zeroline": False, "nticks": 7},
        "yaxis": _axis("", theme)
        | {"type": "category", "autorange": "reversed", "categoryarray": names},
    }
    return figure


def bars(days: Sequence[tuple[date, int]], *, axis: str, theme: Theme) -> Figure:
    """Counts by day."""
    if not days:
        return _empty("Nobody has answered anything in this time.", theme)
    bar = {
        "type": "bar",
        "x": [day.isoformat() for day, _ in days],
        "y": [n for _, n in days],
        "marker": {"color": BAR},
        "hovertemplate": "%{x|%d %b}: %{y:,}<extra></extra>",
    }
    figure = _figure([bar], theme)
    figure["layout"] |= {
        "height": 260,
        "bargap": 0.25,
        "xaxis": _axis("Day (UTC)", theme) | {"type": "date", "nticks": 7, "tickformat": "%d %b"},
        "yaxis": _axis(axis, theme) | {"rangemode": "tozero", "nticks": 5},
    }
    return figure


def _figure(traces: list[dict[str, Any]], theme: Theme) -> Figure:
    return {
        "data": traces,
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": INK[theme]},
            "margin": {"l": 8, "r": 16, "t": 28, "b": 8},
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {"font": {"family": FONT}},
        },
    }


def _empty(said: str, theme: Theme) -> Figure:
    figure = _figure([], theme)
    note = {"text": said, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    hidden = {"visible": False}
    figure["layout"] |= {"height": 120, "xaxis": hidden, "yaxis": hidden, "annotations": [note]}
    return figure


def _axis(title: str, theme: Theme) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "fixedrange": True,  # Dragging to zoom traps a finger that wants to scroll.
        "gridcolor": GRID,
        "linecolor": GRID,
        "tickfont": {"color": INK[theme]},
    }


def _mark(at: float, theme: Theme) -> dict[str, Any]:
    line = {"color": INK[theme], "width": 1, "dash": "dash"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _name(at: float, name: str, theme: Theme) -> dict[str, Any]:
    return {
        "x": at,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": name,
        "showarrow": False,
        "font": {"color": INK[theme], "size": 11},
    }
