"""A value made for a schema is valid, says the `jsonschema` library, a stranger to the fake."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fake_server.instance import instance

Schema = dict[str, Any]


def check(schema: Schema) -> Any:
    """Make a value, and let the stranger judge it."""
    Draft202012Validator.check_schema(schema)
    value = instance(schema)
    Draft202012Validator(schema).validate(value)
    return value


def an(**properties: Any) -> Schema:
    """Write an object as OpenAI's strict mode wants it: all required, nothing more."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
NULL = {"type": "null"}
NUMBER = {"type": "number"}
CAT = an(kind={"const": "cat"}, lives={"type": "integer", "minimum": 1, "maximum": 9})
DOG = an(kind={"const": "dog"}, name=TEXT)

SCHEMAS = [
    pytest.param({}, id="anything"),
    pytest.param(an(), id="openai-function-without-arguments"),
    pytest.param(an(latitude=TEXT, longitude=TEXT), id="recorded-ruby-llm-weather"),
    pytest.param(
        an(steps={"type": "array", "items": an(explanation=TEXT, output=TEXT)}, answer=TEXT),
        id="openai-guide-math-steps",
    ),
    pytest.param(an(unit={"type": "string", "enum": ["celsius", "kelvin"]}), id="openai-enum"),
    pytest.param(an(unit={"type": ["string", "null"]}), id="openai-optional-by-type-list"),
    pytest.param(an(unit={"type": ["null", "integer"]}), id="openai-null-first"),
    pytest.param({"$defs": {"A": an(x=TEXT)}, **an(a={"$ref": "#/$defs/A"})}, id="pydantic-ref"),
    pytest.param(
        {"definitions": {"A": an(x=TEXT)}, "$ref": "#/definitions/A"}, id="zod-definitions"
    ),
    pytest.param({"$defs": {"a/b~c": TEXT}, "$ref": "#/$defs/a~1b~0c"}, id="escaped-ref"),
    pytest.param(
        {"$defs": {"N": TEXT}, **an(n={"$ref": "#/$defs/N", "minLength": 20})},
        id="pydantic-keyword-beside-ref",
    ),
    pytest.param(
        {"properties": {"a": {"anyOf": [TEXT, NULL], "default": None}}, "type": "object"},
        id="pydantic-optional",
    ),
    pytest.param(
        {"properties": {"a": {"type": "string", "default": None}}, "type": "object"},
        id="pydantic-string-that-defaults-to-none",
    ),
    pytest.param({"type": "integer", "default": 7}, id="pydantic-default"),
    pytest.param({"anyOf": [NULL, an(x=TEXT)]}, id="pydantic-null-first"),
    pytest.param({"anyOf": [NULL]}, id="null-alone"),
    pytest.param(
        {"oneOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}, id="pydantic-tagged-union"
    ),
    pytest.param(
        {
            "type": "object",
            "properties": {"id": TEXT, "name": TEXT},
            "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
        },
        id="anyof-of-requirements",
    ),
    pytest.param(
        {"type": "string", "anyOf": [{"minLength": 9}, {"maxLength": 1}]}, id="anyof-part"
    ),
    pytest.param({"allOf": [an(x=TEXT)]}, id="pydantic-1-allof"),
    pytest.param(
        {
            "allOf": [
                {"properties": {"x": {"type": "integer"}}, "required": ["x"]},
                {"properties": {"y": {"type": "integer"}}, "required": ["y"]},
            ]
        },
        id="zod-intersection",
    ),
    pytest.param(
        {
            "allOf": [
                {"type": "object", "properties": {"x": {"type": "number", "minimum": 5}}},
                {"properties": {"x": {"maximum": 6}}, "required": ["x"]},
            ]
        },
        id="allof-of-one-property",
    ),
    pytest.param(
        {
            "allOf": [
                {"type": "object", "properties": {"x": {"maximum": 6}}, "required": ["x"]},
                {"properties": {"x": {"type": "number", "minimum": 5}}},
            ]
        },
        id="allof-of-one-property-the-other-way",
    ),
    pytest.param(
        {"allOf": [{"type": "object", "required": ["a"]}, {"required": ["b"]}]}, id="allof-required"
    ),
    pytest.param({"allOf": [{"minimum": 50, **NUMBER}, {"minimum": 3}]}, id="higher-least-first"),
    pytest.param({"allOf": [{"minimum": 3, **NUMBER}, {"minimum": 50}]}, id="higher-least-last"),
    pytest.param({"allOf": [{"maximum": -9, **NUMBER}, {"maximum": 0}]}, id="lower-most-first"),
    pytest.param({"allOf": [{"maximum": 0, **NUMBER}, {"maximum": -9}]}, id="lower-most-last"),
    pytest.param(
        {"type": "integer", "allOf": [{"minimum": 7}, {"minimum": 3}]}, id="allof-stricter-first"
    ),
    pytest.param({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, id="allof-of-enums"),
    pytest.param({"const": None}, id="const-null"),
    pytest.param({"enum": [None, 1]}, id="enum-of-null"),
    pytest.param({"type": "boolean"}, id="boolean"),
    pytest.param({"type": "string", "minLength": 40, "maxLength": 40}, id="exact-length"),
    pytest.param({"type": "string", "maxLength": 2}, id="short"),
    pytest.param({"type": "string", "maxLength": 0}, id="empty"),
    pytest.param({"type": "array", "items": TEXT, "minItems": 3}, id="three-items"),
    pytest.param(
        {"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "items": False},
        id="pydantic-tuple",
    ),
    pytest.param({"prefixItems": [TEXT], "items": NULL, "minItems": 2}, id="prefix-and-rest"),
    pytest.param({"type": "object", "additionalProperties": TEXT}, id="pydantic-dictionary"),
    pytest.param({"type": "object", "required": ["free"]}, id="required-but-not-described"),
    pytest.param(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **an(a=TEXT)}, id="zod-4"
    ),
]

# Numbers that are allowed are few here, and each was found by hand.
NUMBERS = [
    pytest.param({"type": "integer", "minimum": 0}, id="pydantic-ge"),
    pytest.param({"type": "integer", "exclusiveMinimum": 1}, id="pydantic-gt"),
    pytest.param({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 3}, id="only-2"),
    pytest.param({"type": "integer", "maximum": -5.5}, id="at-most-minus-six"),
    pytest.param({"type": "integer", "minimum": 1.5, "maximum": 2.5}, id="only-2-by-fractions"),
    pytest.param({"type": "integer", "multipleOf": 5, "maximum": 3}, id="zero-or-less"),
    pytest.param({"type": "integer", "multipleOf": 7, "minimum": 50, "maximum": 60}, id="only-56"),
    pytest.param({"type": "integer", "multipleOf": 2.5, "minimum": 1}, id="whole-and-half-steps"),
    pytest.param({"type": "number", "minimum": 1, "exclusiveMinimum": 2}, id="both-lower-ends"),
    pytest.param({"type": "number", "maximum": 1, "exclusiveMaximum": 0}, id="both-upper-ends"),
    pytest.param({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, id="fraction"),
    pytest.param({"type": "number", "minimum": 0.25, "maximum": 0.25}, id="only-a-quarter"),
    pytest.param({"type": "number", "multipleOf": 0.01, "exclusiveMaximum": 0.5}, id="zod-cents"),
    pytest.param({"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 3}, id="quarters"),
    pytest.param({"type": "integer", "minimum": -(2**63), "maximum": 2**63}, id="zod-int"),
]


@pytest.mark.parametrize("schema", [*SCHEMAS, *NUMBERS])
def test_a_value_is_valid(schema):
    check(schema)


@pytest.mark.parametrize(
    ("name", "value"),
    [("date", "2026-01-01"), ("email", "user@example.com"), ("time", "00:00:00Z"), ("no", "text")],
)
def test_a_string_has_the_form_that_its_format_names(name, value):
    assert instance({"type": "string", "format": name}) == value


def test_every_property_is_filled_in_the_order_of_the_schema():
    value = check({"type": "object", "properties": {"b": TEXT, "a": TEXT}, "required": ["a"]})

    assert list(value) == ["b", "a"]


def test_a_choice_is_rather_a_value_than_null():
    assert check(an(a={"anyOf": [NULL, TEXT]})) == {"a": "text"}


def test_a_schema_that_speaks_of_items_alone_is_one_of_a_list():
    assert check({"items": TEXT, "minItems": 1}) == ["text"]


@pytest.mark.parametrize("schema", [{"required": ["name"]}, {"properties": {"name": TEXT}}])
def test_a_schema_that_speaks_of_properties_alone_is_one_of_an_object(schema):
    assert list(check(schema)) == ["name"]


NODE = an(value=TEXT, next={"anyOf": [{"$ref": "#"}, NULL]})
TREE = an(name=TEXT, children={"type": "array", "items": {"$ref": "#"}})
SUM = an(left={"$ref": "#/$defs/Term"}, right={"$ref": "#/$defs/Term"})

RECURSIVE = [
    pytest.param(NODE, id="openai-guide-linked-list"),
    pytest.param(TREE, id="openai-guide-tree"),
    pytest.param({"type": "object", "properties": {"of": {"$ref": "#"}}}, id="optional-self"),
    pytest.param(
        {
            "$defs": {"Term": {"anyOf": [{"$ref": "#/$defs/Sum"}, an(n=TEXT)]}, "Sum": SUM},
            "$ref": "#/$defs/Term",
        },
        id="pydantic-expression",
    ),
]


@pytest.mark.parametrize("schema", RECURSIVE)
def test_a_schema_that_leads_back_to_itself_has_a_value(schema):
    check(schema)


ENDLESS = [
    pytest.param(an(next={"$ref": "#"}), id="required-self"),
    pytest.param({"$ref": "#"}, id="nothing-but-itself"),
    pytest.param({"allOf": [{"$ref": "#"}], "type": "object"}, id="all-of-itself"),
    pytest.param({"anyOf": [{"$ref": "#"}], "type": "object"}, id="any-of-itself"),
]


@pytest.mark.parametrize("schema", ENDLESS)
def test_a_schema_that_no_value_fits_comes_to_an_end(schema):
    assert json.dumps(instance(schema))


def ends(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=2, max_size=2).map(sorted)


strings = ends(st.integers(0, 30)).map(
    lambda ends: {"type": "string", "minLength": ends[0], "maxLength": ends[1]}
)
integers = ends(st.integers(-50, 50)).map(
    lambda ends: {"type": "integer", "minimum": ends[0], "maximum": ends[1]}
)
floats = ends(st.floats(-50, 50)).map(
    lambda ends: {"type": "number", "minimum": ends[0], "maximum": ends[1]}
)
multiples = st.tuples(st.integers(1, 12), st.integers(-50, 50), st.booleans()).map(
    lambda drawn: {
        "type": "integer",
        "multipleOf": drawn[0],
        "exclusiveMinimum" if drawn[2] else "exclusiveMaximum": drawn[1],
    }
)
plain = strings | integers | floats | multiples | st.sampled_from([TEXT, NULL, {"const": 5}])
names = st.text("abc/~$", min_size=1, max_size=3)


def nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    arrays = st.tuples(inner, st.integers(0, 3)).map(
        lambda drawn: {"type": "array", "items": drawn[0], "minItems": drawn[1]}
    )
    objects = st.dictionaries(names, inner, max_size=3).map(lambda properties: an(**properties))
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda choices: {"anyOf": choices})
    return arrays | objects | choices


@given(st.recursive(plain, nested, max_leaves=8))
def test_a_value_of_any_schema_is_valid_and_always_the_same(schema):
    assert check(schema) == instance(schema)


@given(st.floats(0.001, 100, allow_subnormal=False))
def test_a_number_between_zero_and_any_end_is_found(end):
    value = check({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": end})

    assert 0 < value < end


@pytest.mark.parametrize("kind", ["objekt", 3, ["strin"]], ids=["typing-error", "number", "list"])
def test_a_type_that_there_is_not_is_no_schema(kind):
    with pytest.raises(ValueError, match="no type of JSON schema"):
        instance({"type": kind})
