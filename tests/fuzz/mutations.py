"""Texts and bytes as people, editors and disks spoil them; seeded."""

import random
from collections.abc import Sequence

NUMBERS = ["0", "1", "-1", "2", "7", "0.5", "1e-9", "1e308", "-1e999", "2**31"]
NUMBERS += [str(2**63), str(10**30), "-0.0", "True", "None", "'nan'", "1_0", "0x10"]
VALUES = [*NUMBERS, "''", "'relu'", "()", "(1,)", "(4, 4)", "[2, [3]]", "{'a': 1}"]
VALUES += ["{1, 2}", "b'x'", "...", "1j", "'x' * 9", "f'{1}'", "nan", "inf", "''''"]
# Signs of the grammar, and characters that readers stumble over.
SIGNS = [
    *"()[]{}=,:.'\"\\/-+*#@%$!~`|<> \t\n\r\0",
    *("\ufeff", "\u200b", "\u202e", "\ud800", "σ", "１", "é", "🙂", "[bold]", "[/]"),
    *("--", "**", "==", "(" * 300, "[" * 300, "-" * 300, "9" * 5000, "x" * 5000),
    *("\\d", "{{", "%s", "$HOME", "../", "~", "\x1b[31m"),
]


def text(rng: random.Random, given: str, words: Sequence[str]) -> str:
    """`given` with a few changes: characters, signs, words and parts of it."""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3, 8])):
        start = rng.randrange(len(given) + 1)
        end = min(len(given), start + rng.choice([0, 1, 1, 4, 20]))
        part = rng.choice(["", rng.choice(SIGNS), rng.choice(VALUES)])
        part = rng.choice([part, rng.choice(words), given[start:end] * 2])
        given = given[:start] + part + given[end:]
    return given


def content(rng: random.Random, given: bytes) -> bytes:
    """`given` with some bits flipped, cut, grown, zeroed or a number changed."""
    found = bytearray(given)
    how = rng.choice(["flip", "flips", "cut", "grow", "zero", "number", "middle"])
    start = rng.randrange(len(found) + 1)
    # Headers are short, and more depends on them.
    if rng.random() < 0.5:
        start = min(start, rng.randrange(64))
    if how in ("flip", "flips") and found:
        for _ in range(1 if how == "flip" else rng.randint(2, 50)):
            place = start if how == "flip" else rng.randrange(len(found))
            found[min(place, len(found) - 1)] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del found[start:]
    elif how == "grow":
        found += rng.randbytes(rng.choice([1, 4, 1000]))
    elif how == "zero":
        found[start:] = bytes(len(found) - start)
    elif how == "number":
        found[start : start + 4] = rng.choice([b"\xff" * 4, b"\x7f\xff\xff\xff"])
    elif how == "middle":
        del found[start : start + rng.choice([1, 2, 30])]
    return bytes(found)
