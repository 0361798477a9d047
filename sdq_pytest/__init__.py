"""The pytest plugin of sdq: a study as tests, and fixtures for the tests of a generator.

`sdq_pytest.plugin` is what pytest loads in every run; it imports nothing of sdq. All else here is
imported when a run uses it.
"""
