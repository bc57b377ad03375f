"""Statements that are made once for all views of one form."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from geo.cells import View, view_of
from geo.filters import Box, Filters
from geo.forms import Form, numbers_of
from geo.heatmap import densest_cells
from geo.tiles import drawn_clusters, drawn_heat, drawn_points

IN_A_MONTH = datetime(2026, 1, 17, 12, tzinfo=PANAMA)
TILES = st.integers(0, 18).flatmap(
    lambda zoom: st.tuples(
        st.just(zoom), *[st.integers(0, (1 << zoom) - 1) for _ in "xy"]
    )
)


def test_tiles_of_any_zoom_are_asked_for_with_the_same_statement():
    one, other = View.of_tile(12, 1144, 1946), View.of_tile(10, 286, 486)
    assert numbers_of(one) != numbers_of(other)
    filters = Filters(state="open")
    asked = drawn_heat(filters, Form.of(one), 256.0)
    assert drawn_heat(filters, Form.of(other), 256.0) is asked
    assert drawn_heat(Filters(), Form.of(other), 256.0) is not asked


@given(tile=TILES)
def test_a_view_has_a_number_for_each_parameter_that_is_left_open(tile):
    view = View.of_tile(*tile)
    form = Form.of(view)
    statements = [
        drawn_heat(Filters(), form, 256.0),
        drawn_clusters(Filters(), form, 256.0),
        drawn_points(Filters(), form),
        densest_cells(Filters(), form, 10),
        densest_cells(Filters(since=IN_A_MONTH), form, 10),
    ]
    place = {"zoom", "x", "y"}
    for statement in statements:
        left_open = {name for name, value in statement.values.items() if value is None}
        assert {"left", "top"} <= left_open <= numbers_of(view).keys() | place


def test_a_view_of_nothing_has_a_form_too():
    nothing = view_of(Box(10, 10, 20, 20), 12)
    numbers = numbers_of(nothing)
    assert numbers["lasts"] < numbers["firsts"]
    assert numbers["right"] < numbers["left"]
