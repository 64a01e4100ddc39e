"""Bring the local stack up from a script. First, in the shell: eval "$(.venv/bin/qhub env)"; qhub cluster start."""

from pathlib import Path

from pulumi import automation

root = Path(__file__).parents[2]
stack = automation.create_or_select_stack(stack_name="local", work_dir=str(root))
result = stack.up(on_output=print)
print(result.summary.resource_changes, result.outputs["address"].value)
