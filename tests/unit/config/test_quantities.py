"""Amounts are read as the software behind the settings reads them."""

from __future__ import annotations

import re
from contextlib import nullcontext
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config.quantities import parse_quantity, parse_size, parse_spawner_memory

SPAWNER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL = {"m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def is_spawner_memory(text: str) -> bool:
    """Return whether KubeSpawner would read the text: a number with at most one of its letters behind it."""
    return is_decimal(text[:-1] if text[-1:] in ("K", "M", "G", "T") else text)


def is_quantity(text: str) -> bool:
    """Return whether Kubernetes would read the text, going by its documented grammar."""
    number = re.sub(r"([KMGTPE]i|[mkMGTPE]|[eE][+-]?[0-9]{1,2})$", "", text, count=1)
    return is_decimal(number) or (is_decimal("0" + number) and number.startswith("."))


def is_decimal(text: str) -> bool:
    whole, point, rest = text.partition(".")
    return all(part.isdecimal() for part in ((whole, rest) if point else (whole,)))


class TestMemoryOfServersAndWorkers:
    @given(st.integers(0, 10**6), st.sampled_from(sorted(SPAWNER)))
    def test_a_suffix_is_a_power_of_1024(self, number: int, unit: str) -> None:
        assert parse_spawner_memory(f"{number}{unit}") == number * 1024 ** SPAWNER[unit]

    @given(st.integers(1, 999), st.sampled_from("KMGT"))
    def test_each_unit_is_1024_of_the_one_below(self, number: int, unit: str) -> None:
        below = dict(zip("KMGT", ["", "K", "M", "G"], strict=True))[unit]

        assert parse_spawner_memory(f"{number}{unit}") == 1024 * parse_spawner_memory(f"{number}{below}")

    @pytest.mark.parametrize(
        ("written", "meant"), [("2Gi", "2G"), ("2GB", "2G"), ("512m", "512M"), ("1.5gib", "1.5G"), ("2 G", "2G")]
    )
    def test_another_notation_is_refused_with_the_right_one(self, written: str, meant: str) -> None:
        with pytest.raises(ValueError, match=f'write "{meant}"'):
            parse_spawner_memory(written)

    @given(st.text(max_size=8) | st.text("0123456789.KMGTEPeikm+- ", max_size=6))
    def test_anything_else_gives_a_clear_error_and_no_other(self, text: str) -> None:
        with pytest.raises(ValueError, match="amount of memory") if not is_spawner_memory(text) else nullcontext():
            parse_spawner_memory(text)


class TestKubernetesQuantities:
    @given(st.integers(0, 10**6), st.sampled_from(sorted(BINARY)))
    def test_a_suffix_with_i_is_a_power_of_1024(self, number: int, unit: str) -> None:
        assert parse_quantity(f"{number}{unit}") == number * Decimal(1024) ** BINARY[unit]

    @given(st.integers(0, 10**6), st.sampled_from(sorted(DECIMAL)))
    def test_a_suffix_without_i_is_a_power_of_1000(self, number: int, unit: str) -> None:
        assert Fraction(parse_quantity(f"{number}{unit}")) == number * Fraction(1000) ** DECIMAL[unit]

    @given(st.integers(0, 999), st.integers(0, 999), st.sampled_from(["Mi", "Gi", "G"]))
    def test_sizes_compare_as_numbers_whatever_the_unit(self, one: int, other: int, unit: str) -> None:
        assert (parse_size(f"{one}{unit}") < parse_size(f"{other}{unit}")) == (one < other)

    @given(st.decimals(min_value=0, max_value=10**6, places=3))
    def test_a_size_is_rounded_up_to_whole_bytes(self, number: Decimal) -> None:
        size = parse_size(f"{number}")

        assert number <= size < number + 1

    def test_exponents(self) -> None:
        assert parse_size("1e3") == 1000
        assert parse_size("12E2") == 1200

    @pytest.mark.parametrize(("written", "meant"), [("100gb", "100Gi"), ("100 GiB", "100Gi"), ("5g", "5Gi")])
    def test_another_notation_is_refused_with_the_right_one(self, written: str, meant: str) -> None:
        with pytest.raises(ValueError, match=f'write "{meant}"'):
            parse_size(written)

    def test_thousandths_of_a_byte_are_refused(self) -> None:
        with pytest.raises(ValueError, match='write "500Mi"'):
            parse_size("500m")

    @given(st.text(max_size=8) | st.text("0123456789.KMGTEPeikm+- ", max_size=6))
    def test_anything_else_gives_a_clear_error_and_no_other(self, text: str) -> None:
        with pytest.raises(ValueError, match="quantity") if not is_quantity(text) else nullcontext():
            parse_quantity(text)
