"""`python -m qhub.rehearsal.commands COMMAND ARGUMENTS...`: what the scripts of `install` run."""

from __future__ import annotations

import os
import sys

from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.commands.arguments import CommandError
from qhub.rehearsal.commands.clouds import ANSWERS


def main() -> None:
    """Print the ExecCredential; end with 1 and a word on stderr when there is none."""
    command, *arguments = sys.argv[1:]
    try:
        sys.stdout.write(ANSWERS[command](arguments, os.environ) + "\n")
    except (CommandError, ClusterError) as error:
        sys.exit(f"{command} (stand-in of a rehearsal): {error}")


if __name__ == "__main__":
    main()
