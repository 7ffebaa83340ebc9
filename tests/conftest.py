"""Settings of the test run that need code; the rest is in pyproject.toml."""

from __future__ import annotations

import os

# Set before torch is imported anywhere: threads of two busy processes spin against each other.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# No test may wait for a network, nor use what an earlier run fetched from one.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from hypothesis import HealthCheck, settings

# A slow machine is no failure, hence no deadline. Derandomised, so that a failure in CI is a
# failure everywhere; look for new ones with `--hypothesis-profile explore`.
_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "default", deadline=None, derandomize=True, max_examples=50, suppress_health_check=_QUIET
)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=_QUIET)
settings.load_profile("default")
