"""Marks that this package's tests use, so that they also run from its wheel alone.

In:  pytest.   Out: registered marks.
Not here: fixtures.
"""


def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id): the row of requirements.md that this test shows")
