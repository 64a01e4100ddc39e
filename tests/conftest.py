"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is no failure: hypothesis would otherwise judge by the clock.
settings.register_profile("qhub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qhub")
