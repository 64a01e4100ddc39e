"""Every configuration whose resource graph is written down: on clusters that are there already, and on four clouds."""

from __future__ import annotations

from tests.graph import clouds_aws, clouds_azure, clouds_digitalocean, clouds_gcp, configurations, templates
from tests.graph.recorder import Recording

MODULES = (configurations, clouds_aws, clouds_gcp, clouds_digitalocean, clouds_azure, templates)

#: name -> the module that has it.
MATRIX = {name: module for module in MODULES for name in module.CONFIGURATIONS}


def record_any(name: str, *, preview: bool = False) -> Recording:
    """Run the program for a configuration of any module and return what it registered."""
    return MATRIX[name].record_configuration(name, preview=preview)
