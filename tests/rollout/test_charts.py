"""The rollout page's figures: valid Plotly, honest about gaps, readable without eyes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import plotly
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page

from rollout.charts import (
    ARM_COLOURS,
    CONFIG,
    INK,
    MOST_POINTS,
    WORSE,
    EffectPoint,
    Figure,
    Theme,
    arm_rates,
    data_table,
    effect_over_time,
)
from rollout.statistics.arms import ArmCounts, summarise
from rollout.statistics.estimates import Estimate, NotEnough

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
CONTROL = summarise(
    ArmCounts("control", "v1", 4000, 900, 420, 330, 90, 30, audit_labelled=480, audit_correct=372)
)
TREATMENT = summarise(
    ArmCounts("treatment", "v2", 4010, 910, 410, 355, 55, 20, audit_labelled=480, audit_correct=426)
)
NEW = summarise(ArmCounts("treatment", "v2"))
GROUNDS = {"light": "#ffffff", "dark": "#111827"}


def looks(count: int) -> list[EffectPoint]:
    return [
        EffectPoint(
            START + timedelta(minutes=30 * i),
            Estimate(0.05, 0.05 - 0.4 / (i + 1), 0.05 + 0.4 / (i + 1), 40 + 8 * i),
        )
        for i in range(count)
    ]


WAITING = EffectPoint(START, NotEnough(32, "Not enough data, about 32 more audit labels."))
FIGURES = {
    "effect": effect_over_time(looks(60), margin=0.05),
    "effect, one look": effect_over_time([WAITING, *looks(1)], margin=0.05),
    "effect, no data": effect_over_time([WAITING], margin=0.05),
    "effect, nothing": effect_over_time([], margin=0.05, theme="dark"),
    "rates": arm_rates([CONTROL, TREATMENT]),
    "rates, new arm": arm_rates([CONTROL, NEW], theme="dark"),
    "rates, no data": arm_rates([NEW]),
    "rates, nothing": arm_rates([]),
}


def words(figure: Figure) -> str:
    return " ".join(note["text"] for note in figure["layout"]["annotations"])


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_is_plain_json_that_plotly_accepts(figure: Figure) -> None:
    again = json.loads(json.dumps(figure, allow_nan=False))
    go.Figure(again)  # Raises on any property or value that Plotly does not know.
    assert figure["layout"]["paper_bgcolor"] == figure["layout"]["plot_bgcolor"] == "rgba(0,0,0,0)"


def test_effect_is_drawn_in_points_against_the_margin() -> None:
    figure = FIGURES["effect"]
    upper, lower, line, latest = figure["data"]
    assert line["y"][-1] == latest["y"][0] == pytest.approx(5.0)
    assert upper["y"][-1] == pytest.approx(5 + 40 / 60)
    assert lower["y"][-1] == pytest.approx(5 - 40 / 60)
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [0.0, -5.0]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time (UTC)"
    assert figure["layout"]["yaxis"]["title"]["text"] == "Audit accuracy gain (points)"
    assert "no difference margin: 5 points worse <b>+5.0 points (4.3 to 5.7)</b>" in words(figure)


def test_the_first_wide_intervals_do_not_flatten_the_rest() -> None:
    low, high = FIGURES["effect"]["layout"]["yaxis"]["range"]
    assert -10 < low < -5
    assert 5.7 < high < 12


def test_looks_without_an_estimate_leave_a_gap_not_a_zero() -> None:
    figure = effect_over_time([WAITING, *looks(3)], margin=0.05)
    assert len(figure["data"][2]["y"]) == 3


def test_missing_evidence_is_said_in_words() -> None:
    assert words(FIGURES["effect, no data"]) == "Not enough data, about 32 more audit labels."
    assert words(FIGURES["effect, nothing"]) == "Nothing has been measured yet."
    assert words(FIGURES["rates, nothing"]) == "No arm has been counted yet."
    assert "Not enough data, about 10 more thumbs." in words(FIGURES["rates, new arm"])
    assert [trace["name"] for trace in FIGURES["rates, new arm"]["data"]] == ["control"] * 2


@pytest.mark.parametrize("count", [MOST_POINTS, MOST_POINTS + 1, 12_345])
def test_a_long_test_is_thinned_and_keeps_its_first_and_latest_look(count: int) -> None:
    shown = effect_over_time(looks(count), margin=0.05)["data"][2]["x"]
    assert len(shown) <= MOST_POINTS + 1
    assert shown[0] == START.isoformat()
    assert shown[-1] == (START + timedelta(minutes=30 * (count - 1))).isoformat()


def test_an_arm_keeps_its_colour_in_every_chart() -> None:
    rates = FIGURES["rates"]["data"]
    assert {(dot["name"], dot["marker"]["color"]) for dot in rates} == set(ARM_COLOURS.items())
    assert FIGURES["effect"]["data"][3]["marker"]["color"] == ARM_COLOURS["treatment"]


def test_rates_are_labelled_on_the_mark_and_thumbs_called_self_selected() -> None:
    said = words(FIGURES["rates"])
    assert "treatment v2 · 88.8 % (85.6 to 91.3) · n 480" in said
    assert "Thumbs up (self-selected)" in said


def test_a_version_name_cannot_smuggle_markup_into_a_label() -> None:
    odd = summarise(ArmCounts("control", "<a href='//x'>v1</a>"))
    assert "<a" not in words(arm_rates([odd]))


def test_each_figure_brings_its_numbers_as_a_table() -> None:
    rates = data_table(json.loads(json.dumps(FIGURES["rates, new arm"])))
    assert tuple(rates.columns) == ("Measure", "Arm", "Version", "Share", "n")
    assert [tuple(row[1:]) for row in rates.rows[:2]] == [
        ("control", "v1", "77.5 % (73.6 to 81.0)", "480"),
        ("treatment", "v2", "Not enough data, about 10 more audit labels.", ""),
    ]
    effect = data_table(FIGURES["effect, one look"])
    assert effect.rows == (("2026-11-20 08:00", "+5.0 points (−35.0 to 45.0)", "40"),)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_and_text_are_legible_on_the_page_of_their_theme(theme: Theme) -> None:
    ground = GROUNDS[theme]
    assert all(contrast(colour, ground) >= 3 for colour in ARM_COLOURS.values())
    assert contrast(INK[theme], ground) >= 4.5
    assert contrast(WORSE[theme], ground) >= 4.5
    assert effect_over_time(looks(3), margin=0.05, theme=theme)["layout"]["font"] == {
        "family": "Inter, ui-sans-serif, system-ui, sans-serif",
        "size": 12,
        "color": INK[theme],
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_labels_stay_inside_the_drawn_chart(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content("<!doctype html><body style='margin:8px'>")
    page.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    for name, figure in FIGURES.items():
        outside = page.evaluate(
            """async ([figure, config]) => {
                const box = document.body.appendChild(document.createElement("div"));
                await Plotly.newPlot(box, figure.data, figure.layout, config);
                const frame = box.getBoundingClientRect();
                return [...box.querySelectorAll("text")]
                    .map((text) => [text.textContent, text.getBoundingClientRect()])
                    .filter(([, r]) => r.left < frame.left - 1 || r.right > frame.right + 1)
                    .map(([text]) => text);
            }""",
            [figure, CONFIG],
        )
        assert outside == [], name
