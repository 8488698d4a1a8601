"""Spec strings parse, print and refuse."""

import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relujax import specs
from relujax.errors import InputError

names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(
    lambda name: name.isidentifier() and not keyword.iskeyword(name)
)
literals = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.booleans(),
    st.none(),
    st.tuples(st.integers(), st.floats(0, 1)),
)


@settings(max_examples=60)
@given(
    name=names,
    values=st.dictionaries(names, literals, max_size=3),
)
def test_round_trip(name, values):
    assert specs.parse(specs.unparse(name, values)) == (name, values)


@settings(max_examples=100)
@given(text=st.text(max_size=20))
def test_any_text_parses_or_is_refused(text):
    try:
        specs.parse(text)
    except InputError as error:
        assert str(error).startswith("Expected ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Expected a spec such as"),
        ("relu(", "Expected a spec such as"),
        ("a.b", "Expected a spec such as"),
        ("relu()()", "Expected a spec such as"),
        ("f(**{})", "Expected a spec such as"),
        ("relu\0", "Expected a spec such as"),
        ("(" * 500, "Expected a spec such as"),
        ("f(1)", "got the bare value 1: write which parameter of 'f' it is."),
        ("f(a=1, a=2)", "Expected 'a' once in 'f(a=1, a=2)', got it twice."),
        ("f(a=b)", "Expected a number, string or tuple for 'a' in 'f(a=b)', got b."),
        ("f(a=print())", "got print()."),
        ("f(a={[]: 1})", "got {[]: 1}."),
    ],
)
def test_refused(text, sentence):
    with pytest.raises(InputError) as error:
        specs.parse(text)
    assert sentence in str(error.value)


def test_white_space_and_empty_brackets():
    assert specs.parse(" relu() ") == ("relu", {})
    assert specs.parse("f( a = -1e-3 )") == ("f", {"a": -0.001})


def test_what_has_no_literal():
    class Schedule:
        def __call__(self, step):
            return step

    def decay(step):
        return step

    assert specs.unparse("f", {"a": decay}) == "f(a=<decay>)"
    assert specs.unparse("f", {"a": Schedule()}) == "f(a=<Schedule>)"
