"""A whole Pulumi project for a cloud, out of a few answers: what `qhub init` does.

| name | what it is |
|---|---|
| `questions` | what is asked, each with the key of the settings that the answer becomes |
| `project` | the files of a project, with the answers in them |
| `judging` | what is wrong with answers, told as the settings tell it |
| `writing` | puts files into a folder and overwrites none |

Everything that is written comes from `files/`, which is part of the package, and from the models.
"""
