"""QHub as a Pulumi program: settings -> cluster -> platform -> outputs."""

import gc

# The program ends before a collection could pay; without the pauses its imports take a fifth less time.
gc.disable()

import pulumi  # noqa: E402

from qhub.clouds import make_cluster  # noqa: E402
from qhub.config import load_stack_settings  # noqa: E402
from qhub.config.fixed import FIXED_OUTPUT, fixed_settings  # noqa: E402
from qhub.errors import InputError  # noqa: E402
from qhub.platform import KubernetesPlatform, KubernetesPlatformArgs  # noqa: E402

pulumi.require_pulumi_version(">=3.240.0")

try:
    settings = load_stack_settings()
    cluster = make_cluster(settings)
    platform = KubernetesPlatform("qhub", KubernetesPlatformArgs(settings=settings, cluster=cluster))
except InputError as error:
    # A mistake of a person, told without a traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in platform.exports().items():
    pulumi.export(name, value)
pulumi.export("kubeconfig", cluster.kubeconfig)
# What cannot be changed from now on: the next run compares.
pulumi.export(FIXED_OUTPUT, fixed_settings(settings))
