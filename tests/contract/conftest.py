"""Suites are not named `test_*`: without this, pytest would not explain their failed asserts."""

import pytest

pytest.register_assert_rewrite("tests.contract.channel_suite")
