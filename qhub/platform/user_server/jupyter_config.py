"""Read by Jupyter as configuration: a kernel that computes counts as activity, also while it prints nothing.

For jupyter_server a kernel is active when it sends something, and a long cell sends nothing; where no tab is open,
the hub would stop the server in the middle of it.
"""

import sys
from datetime import datetime, timezone
from typing import Any


def count_busy_kernels(application: Any) -> None:
    """Let the web application of a server say "now" for its last activity while one of its kernels is busy.

    The server tells the hub, and the hub its culler, what this method says (jupyter_server 2,
    `ServerWebApplication.last_activity`; `notify_activity` of JupyterHub's `singleuser.extension`).

    Args:
        application: the class.
    """
    seen = application.last_activity

    def last_activity(self: Any) -> datetime:
        kernels = self.settings["kernel_manager"]
        states = [getattr(kernels.get_kernel(one), "execution_state", None) for one in kernels.list_kernel_ids()]
        now = datetime.now(timezone.utc)  # noqa: UP017 - an image may have an older Python
        return now if "busy" in states else seen(self)

    application.last_activity = last_activity


# Every program of Jupyter reads this file. A server has loaded this module by then; nothing else needs it.
if "jupyter_server.serverapp" in sys.modules:
    count_busy_kernels(sys.modules["jupyter_server.serverapp"].ServerWebApplication)
