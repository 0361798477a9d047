"""Check digits beside slow independent implementations, and the laws that they are made for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_ehr.codes import code_system
from sdq_ehr.codes.check_digits import digit_matrix, luhn, verhoeff
from sdq_ehr.codes.facts import _measured
from sdq_ehr.codes.identifiers import loinc_digits

DIGITS = st.text("0123456789", min_size=1, max_size=17)


def slow_luhn(text: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(text)):
        value = int(character) * (1 + place % 2)
        total += sum(int(digit) for digit in str(value))
    return total % 10 == 0


# The dihedral group of the pentagon by its symmetries, as permutations of five corners: element
# r < 5 turns by r, element 5 + r mirrors and turns. No table is copied.
def _corner(element: int, corner: int) -> int:
    return (corner + element) % 5 if element < 5 else (element - corner) % 5


ELEMENTS = {tuple(_corner(e, c) for c in range(5)): e for e in range(10)}


def product(a: int, b: int) -> int:
    return ELEMENTS[tuple(_corner(a, _corner(b, c)) for c in range(5))]


def slow_verhoeff(text: str) -> bool:
    cycle = {0: 1, 1: 5, 5: 8, 8: 9, 9: 4, 4: 2, 2: 7, 7: 0, 3: 6, 6: 3}  # (0 1 5 8 9 4 2 7)(3 6)
    state = 0
    for place, character in enumerate(reversed(text)):
        digit = int(character)
        for _ in range(place % 8):
            digit = cycle[digit]
        state = product(state, digit)
    return state == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(DIGITS, min_size=1, max_size=8))
def test_agree_with_slow_implementations(texts):
    digits, lengths = digit_matrix(texts, 18)
    assert luhn(digits).tolist() == [slow_luhn(text) for text in texts]
    assert verhoeff(digits, lengths).tolist() == [slow_verhoeff(text) for text in texts]


@pytest.mark.parametrize("name", ["luhn", "verhoeff"])
@settings(max_examples=60, deadline=None)
@given(body=DIGITS)
def test_exactly_one_digit_completes_and_any_changed_digit_is_seen(name, body):
    def right(texts):
        digits, lengths = digit_matrix(texts, 18)
        return (luhn(digits) if name == "luhn" else verhoeff(digits, lengths)).tolist()

    completed = [body + d for d in "0123456789"]
    assert sum(right(completed)) == 1
    whole = completed[right(completed).index(True)]
    changed = [
        whole[:place] + d + whole[place + 1 :]
        for place, d in itertools.product(range(len(whole)), "0123456789")
        if whole[place] != d
    ]
    assert not any(right(changed))
    if name == "verhoeff":
        swapped = [
            whole[:i] + whole[i + 1] + whole[i] + whole[i + 2 :]
            for i in range(len(whole) - 1)
            if whole[i] != whole[i + 1]
        ]
        assert not swapped or not any(right(swapped))


def test_no_text_and_all_lengths():
    digits, lengths = digit_matrix([], 18)
    assert verhoeff(digits, lengths).tolist() == luhn(digits).tolist() == []


@pytest.mark.parametrize(
    "code", ["73211009", "44054006", "900000000000207008", "999000031000000106"]
)
def test_snomed_refuses_every_single_change(code):
    changed = [
        code[:place] + d + code[place + 1 :]
        for place, d in itertools.product(range(len(code)), "0123456789")
        if code[place] != d
    ]
    assert code_system("snomed").check(changed).refused.all()
    assert code_system("snomed").check([code]).undecided.all()


@pytest.mark.parametrize("code", ["2160-0", "33914-3", "LA6724-4", "LA32-8", "LA30122-8"])
def test_loinc_refuses_every_single_change(code):
    places = [i for i, c in enumerate(code) if c.isdigit()]
    changed = [
        code[:place] + d + code[place + 1 :]
        for place, d in itertools.product(places, "0123456789")
        if code[place] != d
    ]
    assert code_system("loinc").check(changed).refused.all()


def test_random_numbers_pass_as_rarely_as_the_digits_say():
    rng = np.random.default_rng(0)
    numbers = rng.integers(10**7, 10**17, 50_000)
    passed = verhoeff(*digit_matrix([str(n) for n in numbers], 18)).mean()
    assert abs(passed - 0.1) < 0.006  # 4.5 standard errors
    # Partitions of concepts are 2 of 100: a random number is one in 500.
    share = code_system("snomed").check(numbers).undecided.mean()
    assert abs(share - 0.002) < 0.001


def test_own_loinc_codes_have_right_digits():
    codes = list(_measured())
    assert len(codes) > 100
    assert [
        c for c, right in zip(codes, loinc_digits(codes).tolist(), strict=True) if not right
    ] == []
