"""Only the SDK of the chosen cloud is needed, and only that one is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qhub.clouds import SDKS, MissingSdkError, make_cluster
from qhub.config import Settings, load_settings_file

ROOT = Path(__file__).parents[3]
TEMPLATES = {"aws": "config_aws", "gcp": "config_gcp", "digitalocean": "config_do", "azure": "config_azure"}
CLOUDFLARE = {"provider": "cloudflare", "zone": "team.org", "token": "a-token"}
EVERY_STACK = {"pulumi", "pulumi_kubernetes", "pulumi_random"}
#: Runs the program of one configuration to its end and tells which SDKs it has loaded.
RUN = """
import importlib, json, sys
module = importlib.import_module(f"tests.graph.{sys.argv[1]}")
module.record_configuration(next(iter(module.CONFIGURATIONS)))
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules if name.startswith("pulumi")})))
"""


@pytest.mark.parametrize("cloud", [None, *TEMPLATES])
def test_a_run_imports_the_sdk_of_its_cloud_alone(cloud: str | None) -> None:
    module = "configurations" if cloud is None else f"clouds_{cloud}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, module], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set(json.loads(done.stdout)) == EVERY_STACK | ({SDKS[cloud]} if cloud else set())


@pytest.mark.parametrize("cloud", TEMPLATES)
def test_a_missing_sdk_is_told_with_the_command_that_installs_it(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings_file(ROOT / "tests" / "assets" / f"{TEMPLATES[cloud]}.yaml")
    monkeypatch.setitem(sys.modules, SDKS[cloud], None)  # as Python takes what is not installed

    with pytest.raises(MissingSdkError, match=rf"pip install 'qhub\[{cloud}\]'"):
        make_cluster(settings)


def test_the_missing_sdk_of_a_zones_provider_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(domain="hub.team.org", authentication={"password": "a-password"}, dns=CLOUDFLARE)
    monkeypatch.setitem(sys.modules, SDKS["cloudflare"], None)

    with pytest.raises(MissingSdkError, match=r"dns.provider is cloudflare.*pip install 'qhub\[cloudflare\]'"):
        make_cluster(settings)
