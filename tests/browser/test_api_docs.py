"""The page on which developers read the API."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.django_db


def test_the_api_can_be_read_with_what_is_served_from_here(page: Page) -> None:
    page.goto("/api/v1/docs/")
    expect(page.get_by_role("heading", level=1).first).to_contain_text("311 móvil")
    operation = page.locator("#operations-reports-reports_create")
    operation.click()
    expect(operation).to_contain_text("captured_at")
