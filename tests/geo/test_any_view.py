"""Statements that are made once for all views."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from geo import sql
from geo.any_view import numbers_of
from geo.cells import View, view_of
from geo.filters import Box, Filters
from geo.sums import told_by_cell, told_by_tile
from geo.tiles import cases_tile, drawn_points, heat_tile

IN_A_MONTH = datetime(2026, 1, 17, 12, tzinfo=PANAMA)
TILES = st.integers(0, 18).flatmap(
    lambda zoom: st.tuples(
        st.just(zoom), *[st.integers(0, (1 << zoom) - 1) for _ in "xy"]
    )
)


@pytest.mark.parametrize("ask", [heat_tile, cases_tile])
def test_tiles_of_any_zoom_are_asked_for_with_one_statement(ask, db, monkeypatch):
    filters = Filters(state="open", place="0808")
    ask(filters, 12, 1144, 1946)
    monkeypatch.setattr(sql, "compiled", None)  # whoever makes another one fails
    ask(filters, 10, 286, 486)
    with pytest.raises(TypeError):
        ask(Filters(state="open", place="0809"), 10, 286, 486)


@given(tile=TILES)
def test_a_view_has_a_number_for_each_parameter_that_is_left_open(tile):
    view = View.of_tile(*tile)
    statements = [
        drawn_points(Filters()),
        told_by_tile(Filters(), ("all",)).statement,
        told_by_cell(Filters(since=IN_A_MONTH), ("open", "all")).statement,
    ]
    place = {"zoom", "x", "y"}
    for statement in statements:
        left_open = {name for name, value in statement.values.items() if value is None}
        assert {"left", "top"} <= left_open <= numbers_of(view).keys() | place


def test_a_view_of_nothing_has_numbers_too():
    nothing = view_of(Box(10, 10, 20, 20), 12)
    numbers = numbers_of(nothing)
    assert numbers["lasts"] < numbers["firsts"]
    assert numbers["right"] < numbers["left"]
