"""What happens to a test whose service this machine lacks: it is skipped, or fails in `make test`."""

import os
from typing import NoReturn

import pytest


def lacking(package: str) -> NoReturn:
    """Skip the test for want of the Debian package, or fail it where LINLI_TEST_REQUIRE is 1."""
    reason = (
        f"{package} is missing. Install it: sudo provisioning/system/packages.sh install test "
        f"(or: sudo apt-get install -y {package})"
    )
    if os.environ.get("LINLI_TEST_REQUIRE") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
