"""An instance of a JSON schema: the smallest plain one, so that structured outputs and tool arguments validate.

Covers what providers accept in structured outputs. What cannot be satisfied with certainty (a pattern that none of a
few candidates matches, a definition that only contains itself) raises `Unsatisfied`: never an answer that is wrong.
"""

import math
import re
from typing import Any

_DEEPEST = 24
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "invented@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}
_CANDIDATES = ("invented", "Invented", "INVENTED", "a", "A", "1", "12", "123", "1234", "12345", "a1", "A1", "AB", "ABC",
               "en", "en-US", "+1", "+14155550100", "$1.00", "1.00", "2026-01-01", "12:00", "#aabbcc", "a@example.com",
               "https://example.com/", "AB-123", "AB123", "12345-6789", "")  # fmt: skip

Schema = dict[str, Any]


class Unsatisfied(ValueError):
    """No instance of this schema is known."""


def instance(schema: Any, text: str = "invented") -> Any:
    """A value that the schema accepts; free strings are `text`. Raises `Unsatisfied`."""
    return _Maker(schema if isinstance(schema, dict) else {}, text).make(schema, 0)


class _Maker:
    def __init__(self, root: Schema, text: str) -> None:
        self._root = root
        self._text = text

    def make(self, schema: Any, depth: int) -> Any:
        if schema is True or schema == {}:
            return self._text
        if not isinstance(schema, dict):
            raise Unsatisfied("a schema must be an object")
        if depth > _DEEPEST:
            raise Unsatisfied("the schema contains itself without an end")
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        if "$ref" in schema:
            return self.make(self._resolve(schema["$ref"]), depth + 1)
        return self._combined(schema, depth)

    def _combined(self, schema: Schema, depth: int) -> Any:
        if schema.get("allOf"):
            return self.make(self._merged(schema), depth + 1)
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                return self._first(schema[word], depth)
        return self._typed(schema, depth)

    def _first(self, choices: list[Any], depth: int) -> Any:
        for choice in choices:
            try:
                return self.make(choice, depth + 1)
            except Unsatisfied:
                continue
        raise Unsatisfied("none of the alternatives has an instance")

    def _merged(self, schema: Schema) -> Schema:
        whole: Schema = {word: value for word, value in schema.items() if word != "allOf"}
        for raw in schema["allOf"]:
            part = self._resolve(raw["$ref"]) if "$ref" in raw else raw
            properties = {**whole.get("properties", {}), **part.get("properties", {})}
            required = [*whole.get("required", []), *part.get("required", [])]
            whole = {**whole, **part}
            if properties:
                whole |= {"properties": properties, "required": required}
        return whole

    def _resolve(self, reference: object) -> Any:
        found: Any = self._root
        for name in str(reference).removeprefix("#").strip("/").split("/"):
            if name:
                found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if found is None:
            raise Unsatisfied(f"{reference} names nothing")
        return found

    def _typed(self, schema: Schema, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind[0] if isinstance(kind, list) and kind else kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer" | "number" as numeric:
                return _number(schema, whole=numeric == "integer")
            case "boolean":
                return True
            case "null":
                return None
        raise Unsatisfied(f"{kind!r} is no type")

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        """Every property; one that has no end is left out where it is not required."""
        made: dict[str, Any] = {}
        required = schema.get("required", [])
        for name, wanted in schema.get("properties", {}).items():
            try:
                made[name] = self.make(wanted, depth + 1)
            except Unsatisfied:
                if name in required:
                    raise
        return made | {name: self._text for name in required if name not in made}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        fewest, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        items = [self.make(wanted, depth + 1) for wanted in schema.get("prefixItems", [])]
        if len(items) >= min(max(fewest, 1), most):
            return items
        try:
            one = self.make(schema.get("items", True), depth + 1)
        except Unsatisfied:
            if fewest:
                raise
            return items
        wanted = int(min(max(fewest, 1), most) - len(items))
        if wanted > 1 and schema.get("uniqueItems"):
            raise Unsatisfied("several different items are not known")
        return items + [one] * wanted

    def _string(self, schema: Schema) -> str:
        fewest, most = schema.get("minLength", 0), schema.get("maxLength")
        pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
        for candidate in (_FORMATS.get(schema.get("format", ""), self._text), *_CANDIDATES):
            fitted = candidate.ljust(fewest, "x")[:most]
            if pattern is None or pattern.search(fitted):
                return fitted
        raise Unsatisfied(f"no text is known that matches {schema['pattern']}")


def _number(schema: Schema, *, whole: bool) -> int | float:
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    step = schema.get("multipleOf", 1)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    start = max(low, above)
    nearest = 1 if start == -math.inf else start
    candidates = [1, 0, high, nearest, math.ceil(nearest / step) * step, (math.floor(nearest / step) + 1) * step, -1]
    if math.isfinite(start) and math.isfinite(min(high, below)):
        candidates.append((start + min(high, below)) / 2)
    if math.isfinite(min(high, below)):
        candidates += [math.floor(min(high, below) / step) * step, (math.ceil(min(high, below) / step) - 1) * step]
    for value in candidates:
        fits = math.isfinite(value) and low <= value <= high and above < value < below
        stepped = "multipleOf" not in schema or (fits and math.isclose(value / step, round(value / step)))
        if fits and stepped and (not whole or value == int(value)):
            return int(value) if whole else value
    raise Unsatisfied("no number is known within these limits")
