import json
import re
from typing import Any

import pytest

from clavero.simulator.schema import Unsatisfied, instance


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "string"}, "invented"),
        ({}, "invented"),
        ({"const": 7}, 7),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": ["null", "string"]}, None),
        ({"type": "boolean"}, True),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "multipleOf": 7, "minimum": 8}, 14),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}, 0.25),
        ({"type": "string", "maxLength": 3}, "inv"),
        ({"type": "string", "minLength": 10}, "inventedxx"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "ABC"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}]}, [1, 2]),
        ({"anyOf": [{"type": "no such"}, {"type": "null"}]}, None),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"type": "object", "required": ["z"]}, {"z": "invented"}),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
    ],
)
def test_the_instance_is_the_smallest_plain_one(schema: dict[str, Any], wanted: object) -> None:
    assert instance(schema) == wanted


def test_references_are_followed_and_a_circle_ends_where_it_may() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        "required": ["name", "children"],
    }
    made = instance({"$ref": "#/$defs/node", "$defs": {"node": node}})
    assert json.dumps(made).count("invented") < 40
    assert made["name"] == "invented"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^unlikely-[0-9]{40}$"},
        {"$ref": "#/$defs/none"},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"], "type": "object"},
        False,
        {"type": 7},
    ],
)
def test_what_cannot_be_satisfied_is_refused_never_guessed(schema: object) -> None:
    with pytest.raises(Unsatisfied):
        instance(schema)


@pytest.mark.parametrize("pattern", [r"^\d{5}$", r"^[a-z]+$", r"@", r"^#", r"^\+\d+$"])
def test_usual_patterns_are_matched(pattern: str) -> None:
    assert re.search(pattern, instance({"type": "string", "pattern": pattern}))
