"""Stand-ins for what a cloud's kubeconfig runs: `aws`, `gke-gcloud-auth-plugin`, `kubelogin`, `doctl`, and `az`.

`install(folder)` makes them; a rehearsal puts that folder first on PATH. `kubectl`, `helm` and the Kubernetes plugin
then run them as they would run the real ones, and get the administrator's certificate of the simulated cluster. They
answer the one question that a kubeconfig asks, are strict about how it is asked, and refuse everything else.

The world is `QHUB_REHEARSAL_WORLD`. The cluster is found by what the command is told: name and region (AWS), id
(DigitalOcean); where the command is told nothing (Google Cloud, Azure) by the server that `provideClusterInfo: true` in
the kubeconfig tells it, or because the cloud has one cluster only.
"""

from __future__ import annotations

from qhub.rehearsal.commands.install import COMMANDS, install

__all__ = ["COMMANDS", "install"]
