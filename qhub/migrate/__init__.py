"""Configurations of Nebari and of the QHub before it, as stack files of ours: what `qhub migrate` does.

| name | what it is |
|---|---|
| `moving` | what a rule works on: the new settings so far, and what is to be said about the old ones |
| `rules` | a rule, and how a file is walked by a table of them |
| `table` | every key of theirs with its counterpart, or with what to do instead: one line each |
| `people`, `clusters`, `sizes`, `site`, `culling` | the rules that are more than one line |
| `usual` | what holds where the file is silent |
| `groups` | what their groups are called here |
| `traits` | what KubeSpawner can be told |
| `secrecy` | what of a chart's values may be a secret |
| `fitting` | what the new settings say of what came over |
| `writing`, `report` | the stack file, and the account of what became of each key |

A secret is never read: what holds one is told by its key.
"""
