"""Regions of the four clouds and their zones.

| call | returns |
|---|---|
| `regions(cloud)` | every region that is known |
| `zones_of(cloud, region)` | its zones as the cloud's API writes them; empty where it has none or is not known |
| `region_problems(path, cloud, region, ...)` | what is wrong with the name of a region, if anything |
| `zone_problems(path, cloud, region, zones)` | zones that cannot be in the region |

From the clouds' own pages: docs.aws.amazon.com/global-infrastructure/latest/regions, cloud.google.com/compute/docs/
regions-zones, docs.digitalocean.com/platform/regional-availability, learn.microsoft.com/azure/reliability/regions-list.
The names were checked in 2026: those of AWS against its API reference, those of GCP and Azure against price lists; the
zones were not checked anew. Clouds add regions; a new one can be used before it is listed here.

On AWS the letters differ from account to account: eu-west-1a of one is eu-west-1c of another, and a letter may be
missing altogether. What is listed exists for most accounts; `aws ec2 describe-availability-zones` tells for one's own.
Local and wavelength zones are left out: managed clusters cannot span them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from qhub.config.model import Problem
from qhub.config.nearest import nearest

Path = tuple[str | int, ...]

_DIGITS = "0123456789"

#: Letters of the zones. us-west-1 has three zones, of which an account sees two. The control plane of EKS is refused in
#: the zones with the ids use1-az3 (often us-east-1e), usw1-az2 and cac1-az3, so us-east-1e stands last.
_AWS = {
    "us-east-1": "abcdfe",
    "us-east-2": "abc",
    "us-west-1": "ac",
    "us-west-2": "abcd",
    "ca-central-1": "abd",
    "ca-west-1": "abc",
    "mx-central-1": "abc",
    "sa-east-1": "abc",
    "eu-central-1": "abc",
    "eu-central-2": "abc",
    "eu-north-1": "abc",
    "eu-south-1": "abc",
    "eu-south-2": "abc",
    "eu-west-1": "abc",
    "eu-west-2": "abc",
    "eu-west-3": "abc",
    "ap-east-1": "abc",
    "ap-east-2": "abc",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ap-northeast-3": "abc",
    "ap-south-1": "abc",
    "ap-south-2": "abc",
    "ap-southeast-1": "abc",
    "ap-southeast-2": "abc",
    "ap-southeast-3": "abc",
    "ap-southeast-4": "abc",
    "ap-southeast-5": "abc",
    "ap-southeast-6": "abc",
    "ap-southeast-7": "abc",
    "me-central-1": "abc",
    "me-south-1": "abc",
    "il-central-1": "abc",
    "af-south-1": "abc",
    "us-gov-east-1": "abc",
    "us-gov-west-1": "abc",
    "cn-north-1": "abd",
    "cn-northwest-1": "abc",
}

#: Letters of the zones: a, b and c nearly everywhere.
_GCP = {
    "africa-south1": "abc",
    "asia-east1": "abc",
    "asia-east2": "abc",
    "asia-northeast1": "abc",
    "asia-northeast2": "abc",
    "asia-northeast3": "abc",
    "asia-south1": "abc",
    "asia-south2": "abc",
    "asia-southeast1": "abc",
    "asia-southeast2": "abc",
    "asia-southeast3": "abc",
    "australia-southeast1": "abc",
    "australia-southeast2": "abc",
    "europe-central2": "abc",
    "europe-north1": "abc",
    "europe-north2": "abc",
    "europe-southwest1": "abc",
    "europe-west1": "bcd",
    "europe-west2": "abc",
    "europe-west3": "abc",
    "europe-west4": "abc",
    "europe-west6": "abc",
    "europe-west8": "abc",
    "europe-west9": "abc",
    "europe-west10": "abc",
    "europe-west12": "abc",
    "me-central1": "abc",
    "me-central2": "abc",
    "me-west1": "abc",
    "northamerica-northeast1": "abc",
    "northamerica-northeast2": "abc",
    "northamerica-south1": "abc",
    "southamerica-east1": "abc",
    "southamerica-west1": "abc",
    "us-central1": "abcf",
    "us-east1": "bcd",
    "us-east4": "abc",
    "us-east5": "abc",
    "us-south1": "abc",
    "us-west1": "abc",
    "us-west2": "abc",
    "us-west3": "abc",
    "us-west4": "abc",
}

#: Those that have Kubernetes; nyc2 and ric1 only for some sizes.
_DIGITALOCEAN = "ams3 atl1 blr1 fra1 lon1 nyc1 nyc2 nyc3 ric1 sfo2 sfo3 sgp1 syd1 tor1"

_AZURE_WITH_ZONES = """
    australiaeast austriaeast belgiumcentral brazilsouth canadacentral centralindia centralus chilecentral denmarkeast
    eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast
    japanwest koreacentral malaysiawest mexicocentral newzealandnorth northeurope norwayeast polandcentral qatarcentral
    southafricanorth southcentralus southeastasia spaincentral swedencentral switzerlandnorth uaenorth uksouth
    westeurope westus2 westus3 usgovvirginia chinanorth3
"""
_AZURE_WITHOUT_ZONES = """
    australiacentral australiacentral2 australiasoutheast brazilsoutheast canadaeast francesouth germanynorth
    jioindiacentral jioindiawest koreasouth northcentralus norwaywest southafricawest southindia swedensouth
    switzerlandwest uaecentral ukwest westcentralus westindia westus usgovarizona usgovtexas chinaeast chinaeast2
    chinaeast3 chinanorth chinanorth2
"""


def regions(cloud: str) -> tuple[str, ...]:
    """Return every region of a cloud that is known."""
    return tuple(_known(cloud))


def zones_of(cloud: str, region: str) -> tuple[str, ...]:
    """Return the zones of a region as the cloud's API writes them, the one to take first at the front.

    Returns: `eu-west-1a` on AWS, `europe-west1-b` on GCP, `1` on Azure; nothing for a region without zones, for one
        that is not known, and on DigitalOcean, which has none.
    """
    return _known(cloud).get(region, ())


def region_problems(path: Path, cloud: str, region: str, *, zones: Sequence[str] = ()) -> Iterator[Problem]:
    """Yield a problem for a region that is not known, with the one that was probably meant.

    A region may be newer than the list. So it passes where its zones are written out and are of no other region that is
    known, and, on clouds where zones need not be known, also where the name is no slip of the pen: at most one letter
    (two in a long name) beside a known one.

    Args:
        path: key of the region in the settings.
        cloud: word of `cluster.provider`.
        region: what is written there.
        zones: what is written for its zones; nothing where they are to be chosen from the list.
    """
    known = _known(cloud)
    if meant := _region_of(cloud, region, zones):
        yield Problem(path, f"{region} is not known, and the zones are of {meant}", meant)
    if region in known or zones:
        return
    if cloud in ("aws", "gcp"):
        yield Problem(
            path,
            f"{region} is not a region of {cloud} that is known here: mend the name, or, if it is new, "
            "write its zones in `cluster.network.zones`",
            _slip_of(region, known) or nearest(region, known),
        )
    else:
        # Another number at the end is another region, as fra2 would be.
        stem = region.rstrip(_DIGITS)
        meant = _slip_of(region, [other for other in known if other.rstrip(_DIGITS) != stem])
        if meant is not None:
            yield Problem(path, f"{region} is not a region of {cloud}", meant)


def zone_problems(path: Path, cloud: str, region: str, zones: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each zone that cannot be in the region, at its place in the list, and for those named twice.

    On AWS every letter passes, because accounts differ; on GCP a zone of a known region must be one of the listed.
    Where all are of the region that was meant, `region_problems` tells it once, and nothing is told here.

    Args:
        path: key of the list of zones in the settings.
        cloud: word of `cluster.provider`.
        region: the region.
        zones: what is written.
    """
    if _region_of(cloud, region, zones):
        return
    known = zones_of(cloud, region)
    for place, zone in enumerate(zones):
        if zone in zones[:place]:
            yield Problem((*path, place), f"{zone} is there twice: write each zone once")
        elif not _may_be(cloud, region, zone, known):
            has = f" ({', '.join(known)})" if known else ""
            yield Problem((*path, place), f"{zone} is not a zone of {region}{has}", nearest(zone, known))


def _known(cloud: str) -> Mapping[str, tuple[str, ...]]:
    match cloud:
        case "aws":
            return {region: tuple(region + letter for letter in letters) for region, letters in _AWS.items()}
        case "gcp":
            return {region: tuple(f"{region}-{letter}" for letter in letters) for region, letters in _GCP.items()}
        case "azure":
            zones = dict.fromkeys(_AZURE_WITH_ZONES.split(), ("1", "2", "3"))
            return {**zones, **dict.fromkeys(_AZURE_WITHOUT_ZONES.split(), ())}
        case "digitalocean":
            return dict.fromkeys(_DIGITALOCEAN.split(), ())
    raise ValueError(f"{cloud} is not one of the four clouds")


def _region_of(cloud: str, region: str, zones: Sequence[str]) -> str | None:
    """Return the one known region that all zones are of, where `region` is not known: a slip in the region, then."""
    if cloud not in ("aws", "gcp") or region in _known(cloud):
        return None
    of = {zone[:-1].removesuffix("-") for zone in zones}
    return of.pop() if len(of) == 1 and of <= _known(cloud).keys() else None


def _may_be(cloud: str, region: str, zone: str, known: Sequence[str]) -> bool:
    if cloud == "aws":
        return zone[:-1] == region and zone[-1:].isalpha()
    if cloud == "gcp":
        return zone in known if known else zone[:-1] == f"{region}-" and zone[-1:].isalpha()
    return cloud == "azure" and zone in ("1", "2", "3")


def _slip_of(word: str, words: Iterable[str]) -> str | None:
    """Return the word of which `word` is a slip of the pen: one letter beside it, two in a long word.

    `nearest` goes by the letters that two words share, and would take us-esat-1 for us-west-1.
    """
    most = 1 if len(word) < 6 else 2
    # Of two that are equally near, the one with the same letters: swapped ones are the likelier slip.
    near = ((_edits(word, other), sorted(other) != sorted(word), other) for other in words)
    edits, _, best = min(near, default=(most + 1, True, ""))
    return best if edits <= most else None


def _edits(one: str, other: str) -> int:
    """Return how many letters must be put in, taken out, replaced, or swapped with the next to turn one into other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
