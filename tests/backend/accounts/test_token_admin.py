"""Who is signed in on a phone, in the administration."""

from __future__ import annotations

from knox.models import get_token_model

from tests.factories import make_crew

LIST = "/admin/knox/authtoken/"


def test_somebody_is_signed_out(chief):
    tokens = get_token_model().objects
    lost, _ = tokens.create(user=make_crew(username="norte"))
    kept, _ = tokens.create(user=make_crew(username="sur"))
    found = chief.get(LIST, {"q": "norte"}).content.decode()
    assert f"{LIST}{lost.pk}/change/" in found
    assert kept.pk not in found
    assert chief.get(f"{LIST}{lost.pk}/change/").status_code == 200
    assert chief.post(f"{LIST}{lost.pk}/delete/", {"post": "yes"}).status_code == 302
    assert tokens.get() == kept


def test_no_token_is_made_there_nor_given_to_another(chief):
    crew, boss = make_crew(), make_crew(username="jefe")
    token, _ = get_token_model().objects.create(user=crew)
    assert chief.post(f"{LIST}add/", {"user": boss.pk}).status_code == 403
    change = f"{LIST}{token.pk}/change/"
    assert chief.post(change, {"user": boss.pk}).status_code == 403
    assert get_token_model().objects.get().user == crew
