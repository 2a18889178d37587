"""The training filter's chart: how many labels each threshold lets through, by origin."""

from collections.abc import Sequence
from typing import Any

from curation.intake.charts import FONT, GRID, INK, Figure, Theme
from curation.training_filter.preview import Preview

# Beyond it a name to the right of its line would be cut off.
EDGE = 0.85
# At least 3:1 against both page grounds; the dashes tell them apart without colour.
ORIGINS = {
    "annotation": ("annotators", "#2f7de1", "solid"),
    "import": ("imports", "#b7791f", "dash"),
    "feedback": ("thumbs", "#d6453d", "dot"),
}


def kept_by_threshold(shown: Preview, *, current: float, chosen: float, theme: Theme) -> Figure:
    """A falling curve an origin, with the threshold in force and the one looked at."""
    marks = [(current, "in force")]
    if round(chosen, 2) != round(current, 2):
        marks.append((chosen, "looked at"))
    return {
        "data": [_curve(shown, place) for place in range(len(shown.origins))],
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": INK[theme]},
            "margin": {"l": 8, "r": 16, "t": 64, "b": 8},
            "height": 340,
            "hovermode": "x unified",
            "hoverlabel": {"font": {"family": FONT, "color": "#151a22"}, "bgcolor": "#ffffff"},
            "legend": {"orientation": "h", "x": 0, "y": 1.1, "yanchor": "bottom"},
            "xaxis": _axis("Least quality trained on", theme) | {"range": [0, 1.02], "nticks": 6},
            "yaxis": _axis("Labels", theme) | {"rangemode": "tozero", "nticks": 5},
            "shapes": [_line(at, theme, is_chosen=said == "looked at") for at, said in marks],
            "annotations": _names(sorted(marks), theme),
        },
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


def _curve(shown: Preview, place: int) -> dict[str, Any]:
    title, colour, dash = ORIGINS[shown.origins[place]]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": title,
        "x": [each.threshold for each in shown.kept],
        "y": [each.by_origin[place] for each in shown.kept],
        "line": {"color": colour, "dash": dash, "width": 2.5, "shape": "hv"},
        "hovertemplate": "%{y:,}",
    }


def _line(at: float, theme: Theme, *, is_chosen: bool) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": INK[theme], "width": 1.5, "dash": "dash" if is_chosen else "solid"},
    }


def _names(marks: Sequence[tuple[float, str]], theme: Theme) -> list[dict[str, Any]]:
    """Each name beside its line, away from the other's and inside the drawing."""
    names = []
    for place, (at, said) in enumerate(marks):
        is_first_of_two = len(marks) > 1 and place == 0
        is_at_edge = at > EDGE
        name = {
            "x": at,
            "y": 1,
            "yref": "paper",
            "yanchor": "top" if is_at_edge and not is_first_of_two else "bottom",
            "xanchor": "right" if is_first_of_two or is_at_edge else "left",
            "text": said,
            "showarrow": False,
            "font": {"color": INK[theme]},
        }
        names.append(name)
    return names
