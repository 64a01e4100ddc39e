"""Sizes and amounts as the software behind the settings reads them; each parser returns plain numbers.

Two notations meet here and are easily mixed up:

| where | example | meaning of the suffix | read by |
|---|---|---|---|
| memory of a notebook or a Dask worker | `2G`, `512M` | powers of 1024: K, M, G, T | KubeSpawner, dask-gateway |
| everything that Kubernetes reads | `2Gi`, `500m`, `2G` | Ki..Ei are powers of 1024, k..E powers of 1000 | Kubernetes |
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from qhub.config.model import Expected

# ByteSpecification in KubeSpawner (`kubespawner/traitlets.py`) and MemoryLimit in dask-gateway-server (`traitlets.py`).
_SPAWNER_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SPAWNER = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_KUBERNETES_UNITS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "P": Decimal(1000) ** 5,
    "E": Decimal(1000) ** 6,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
    "Pi": Decimal(1024) ** 5,
    "Ei": Decimal(1024) ** 6,
}
_KUBERNETES = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(?:[eE]([+-]?\d{1,2})|([KMGTPE]i|[mkMGTPE]?))")

#: Least memory with which a notebook server or a Dask worker process starts at all (measured sizes are 60 to 120 MiB).
SMALLEST_PROCESS = 128 * 1024**2
#: ext4 and xfs need some MiB for themselves, and every cloud's smallest volume is 1 GiB.
SMALLEST_VOLUME = 1024**3


def parse_spawner_memory(text: str) -> int:
    """Return the bytes of an amount such as `2G`, `1.5G` or `512M`, read as KubeSpawner and dask-gateway read it.

    Raises:
        ValueError: not in that notation; the message says how to write what was probably meant.
    """
    found = _SPAWNER.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not an amount of memory here{_spawner_hint(text)}')
    number, unit = found.groups()
    return int(Decimal(number) * _SPAWNER_UNITS[unit])


def parse_quantity(text: str) -> Decimal:
    """Return the value of a Kubernetes quantity such as `500m`, `1.5`, `2Gi` or `1e9`, in its base unit (bytes, cores).

    Raises:
        ValueError: not a quantity; the message says how to write what was probably meant.
    """
    found = _KUBERNETES.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a Kubernetes quantity{_kubernetes_hint(text)}')
    number, exponent, unit = found.groups()
    factor = Decimal(10) ** int(exponent) if exponent else _KUBERNETES_UNITS[unit or ""]
    return Decimal(number) * factor


def parse_size(text: str) -> int:
    """Return the bytes of a Kubernetes quantity such as `100Gi`, rounded up as Kubernetes does.

    Raises:
        ValueError: not a quantity, or one in thousandths (`500m` bytes is a slip of the pen for `500M`).
    """
    if text.endswith("m"):
        raise ValueError(f'"{text}" means thousandths of a byte; write "{text[:-1]}Mi" for mebibytes')
    return int(parse_quantity(text).to_integral_value(rounding=ROUND_CEILING))


def spelled(text: str) -> str:
    """Return a Kubernetes quantity of memory as a person reads it: bare bytes in GiB, anything else as it is."""
    return f"{int(text) / 1024**3:.1f}Gi" if text.isdecimal() else text


def seconds_in(text: str) -> int | None:
    """Return the seconds that a person means by `90s`, `15m`, `1.5 h` or `2 days`; None for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|h|d)[a-z]*", text.strip().lower())
    if found is None:
        return None
    return int(Decimal(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])


def _spawner_hint(text: str) -> str:
    kubernetes = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGTkmgt])(?:i?[Bb]?)", text)
    if kubernetes:
        return f'; write "{kubernetes[1]}{kubernetes[2].upper()}" (K, M, G and T are powers of 1024 in this place)'
    return '; write a number and one of K, M, G, T (powers of 1024), for example "2G"'


def _kubernetes_hint(text: str) -> str:
    loose = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGTPEkmgtpe])(?:i?[Bb]?)", text)
    if loose:
        return f'; write "{loose[1]}{loose[2].upper()}i"'
    return '; write a number and a unit, for example "100Gi"'


def _text(value: object) -> object:
    """YAML and the command line give a bare number as a number; the validators behind this read text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if isinstance(value, float) else str(value) if is_number else value


_AsText = BeforeValidator(_text, json_schema_input_type=str | int | float)


def _spawner_memory(text: str) -> str:
    if parse_spawner_memory(text) < SMALLEST_PROCESS:
        raise ValueError(f'"{text}" is less than a process needs to start (128M); was a unit forgotten ("{text}G")?')
    return text


def _cpu(text: str) -> str:
    if _KUBERNETES.fullmatch(text) is None:
        raise ValueError(f'"{text}" is no amount of CPU; write a number of cores: 2, 0.5 or "500m"')
    if parse_quantity(text) <= 0:
        raise ValueError(f'"{text}" is no amount of CPU: it must be more than 0')
    return text


def _size(text: str) -> str:
    if parse_size(text) <= 0:
        raise ValueError(f'"{text}" is no size: it must be more than 0')
    return text


def _volume_size(text: str) -> str:
    if parse_size(text) < SMALLEST_VOLUME:
        hint = f'; was a unit forgotten ("{text}Gi")?' if text.isdecimal() else ": write 1Gi or more"
        raise ValueError(f'"{text}" is less than the smallest volume (1Gi){hint}')
    return text


#: Memory of a notebook server or Dask worker: kept as written, because KubeSpawner and dask-gateway read the same text.
SpawnerMemory = Annotated[
    str,
    _AsText,
    AfterValidator(_spawner_memory),
    Expected('an amount of memory with one of K, M, G, T, for example "2G"'),
]
#: CPU as Kubernetes reads it.
CpuQuantity = Annotated[
    str,
    _AsText,
    AfterValidator(_cpu),
    Expected('an amount of CPU, for example 2, 0.5 or "500m"'),
]
#: Memory as Kubernetes reads it.
MemoryQuantity = Annotated[
    str,
    _AsText,
    AfterValidator(_size),
    Expected('an amount of memory, for example "2Gi"'),
]
#: Size of a disk or a shared file system.
VolumeSize = Annotated[
    str,
    _AsText,
    AfterValidator(_volume_size),
    Expected('a size, for example "100Gi"'),
]
Cores = Annotated[float, Field(gt=0, le=1024, allow_inf_nan=False), Expected("a number of CPU cores, for example 0.5")]
Seconds = Annotated[int, Field(ge=1), Expected("a whole number of seconds")]
SecondsOrNever = Annotated[int, Field(ge=0), Expected("a whole number of seconds; 0 for never")]
Count = Annotated[int, Field(ge=1), Expected("a whole number, at least 1")]
