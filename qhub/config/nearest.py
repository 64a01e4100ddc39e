"""The valid word that comes closest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str], *, halves: bool = True) -> str | None:
    """Return the one of `words` that `word` is probably a slip of the pen for, or None where none comes close.

    A word in other spelling (`kubeConfig`, `kube-config`), or one letter swapped, doubled or lost is found; two words
    that merely share letters are not.

    Args:
        word: what was written.
        words: the valid ones.
        halves: whether a part of one valid word is taken for it (nginx, nfs).
    """
    from difflib import get_close_matches

    plain = {_plain(known): known for known in words}
    found = get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    # Half a word is not close by its letters, but it is clear when it is part of one valid word only.
    parts = [known for known in plain if halves and len(word) > 2 and _plain(word) in known]
    found = found or (parts if len(parts) == 1 else [])
    return plain[found[0]] if found else None


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())
