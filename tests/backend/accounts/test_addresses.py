"""Where somebody calls from, by witnesses that a caller cannot be."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.accounts.addresses import address_of, range_of, read_address

PROXY = "10.0.0.1"
PHONE = "200.46.1.7"
unhurried = examples(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
addresses = st.ip_addresses().map(str)
# What a header can carry; commas make several entries of it.
claims = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60) | (
    st.lists(addresses, max_size=4).map(",".join)
)


def called(connected: str, claimed: str | None = None) -> HttpRequest:
    request = RequestFactory().get("/", REMOTE_ADDR=connected)
    if claimed is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = claimed
    return request


def test_a_neighbourhood_is_a_range_of_addresses():
    assert range_of(called(PHONE)) == "200.46.1.0/24"
    assert range_of(called("2803:1500:c01:aaaa::7")) == "2803:1500:c01::/48"


@given(claimed=claims)
@unhurried
def test_without_a_proxy_no_header_counts(claimed):
    assert str(address_of(called(PHONE, claimed))) == PHONE


@given(claimed=claims, seen=st.ip_addresses())
@unhurried
def test_behind_a_proxy_what_it_saw_counts_whatever_was_claimed(
    settings, claimed, seen
):
    settings.PROXIES = 1
    # Written over, or written after what the phone claims: the same.
    for header in (str(seen), f"{claimed},{seen}", f"{claimed}, {seen} "):
        found = address_of(called(PROXY, header))
        assert found == (getattr(seen, "ipv4_mapped", None) or seen)


@given(claimed=claims, seen=st.ip_addresses(v=4), between=addresses)
@unhurried
def test_behind_two_proxies_what_the_outer_one_saw_counts(
    settings, claimed, seen, between
):
    settings.PROXIES = 2
    assert address_of(called(PROXY, f"{claimed},{seen},{between}")) == seen


@pytest.mark.parametrize(
    "header", [None, "", " ", ",", "unknown", "_hidden", "a b", "1"]
)
@pytest.mark.parametrize("proxies", [1, 2])
def test_what_is_no_address_leaves_whoever_is_connected(settings, header, proxies):
    settings.PROXIES = proxies
    assert str(address_of(called(PROXY, header))) == PROXY


def test_who_goes_around_a_proxy_is_who_is_connected(settings):
    settings.PROXIES = 2
    assert str(address_of(called(PHONE, "1.2.3.4"))) == PHONE


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1:5000", "192.0.2.1"),
        ("[2001:db8::1]:5000", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("\u0661.2.3.4", None),
        ("2001:db8::1:5000:x", None),
        ("[192.0.2.1", None),
    ],
)
def test_an_address_is_read_as_proxies_write_it(written, address):
    assert read_address(written) == (address and ip_address(address))


@given(st.text(max_size=60))
def test_no_text_is_more_than_an_address_or_none(text):
    assert isinstance(read_address(text), IPv4Address | IPv6Address | None)


@given(one=st.ip_addresses(), bits=st.integers(0, 2**32 - 1))
def test_who_is_in_a_range_is_found_in_it_and_nobody_else(one, bits):
    where = ip_network(range_of(called(str(one))))
    seen = address_of(called(str(one)))
    assert seen is not None
    assert seen in where
    assert where.prefixlen == {4: 24, 6: 48}[seen.version]
    other = type(seen)(int(seen) ^ bits)
    assert (other in where) == (range_of(called(str(other))) == str(where))


def test_a_connection_without_an_address_has_a_range_all_the_same():
    assert range_of(called("")) == ""
