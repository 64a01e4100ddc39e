"""JupyterHub and Dask for a team: settings -> cluster -> platform -> outputs."""

import pulumi

import qhub

try:
    settings = qhub.load_stack_settings()
    cluster = qhub.make_cluster(settings)
    platform = qhub.KubernetesPlatform("qhub", qhub.KubernetesPlatformArgs(settings=settings, cluster=cluster))
except qhub.InputError as error:
    # A mistake of a person, told without a traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in platform.exports().items():
    pulumi.export(name, value)
pulumi.export("kubeconfig", cluster.kubeconfig)
# What cannot be changed from now on: the next run compares.
pulumi.export(qhub.FIXED_OUTPUT, qhub.fixed_settings(settings))
