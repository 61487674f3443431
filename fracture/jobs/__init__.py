"""Background jobs: processes that go on when the page is closed."""
