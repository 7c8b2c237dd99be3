"""What a schema is made of, fact by fact, as the database itself tells it: to compare two of them."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, inspect, text

from clavero.adapters.storage.ledger_sql import Dialect

Shape = Mapping[str, frozenset[str]]  # facts by table

_COLUMNS = text(
    """SELECT c.relname, concat_ws(' ', 'column', a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' END, 'default ' || pg_get_expr(d.adbin, d.adrelid),
        CASE a.attidentity WHEN '' THEN NULL ELSE 'identity ' || a.attidentity::text END)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
)
_KINDS = text(
    """SELECT c.relname, CASE c.relkind WHEN 'p' THEN 'partitioned ' || pg_get_partkeydef(c.oid) ELSE 'plain' END
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
)
_INDEXES = text(
    """SELECT c.relname, replace(pg_get_indexdef(i.indexrelid), quote_ident(current_schema()) || '.', '')
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
)
_CONSTRAINTS = text(
    """SELECT c.relname, k.conname || ' ' || pg_get_constraintdef(k.oid)
    FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition
    AND k.contype IN ('c', 'p', 'u', 'f')"""
)


def shape(connection: Connection, dialect: Dialect) -> Shape:
    """Every table and its facts: columns with type, default and null, keys, indexes, checks. Not their order."""
    found = _of_postgres(connection) if dialect is Dialect.POSTGRESQL else _of_sqlite(connection)
    facts: dict[str, set[str]] = {}
    for table, fact in found:
        facts.setdefault(table, set()).add(" ".join(fact.split()))
    return {table: frozenset(told) for table, told in facts.items()}


def differences(wanted: Shape, found: Shape) -> list[str]:
    """What is missing and what should not be there, one line each; empty where both are the same."""
    lines = []
    for table in sorted(wanted.keys() | found.keys()):
        missing = wanted.get(table, frozenset()) - found.get(table, frozenset())
        surplus = found.get(table, frozenset()) - wanted.get(table, frozenset())
        lines += [f"{table}: missing {fact}" for fact in sorted(missing)]
        lines += [f"{table}: unknown {fact}" for fact in sorted(surplus)]
    return lines


def _of_postgres(connection: Connection) -> Iterator[tuple[str, str]]:
    for query in (_KINDS, _COLUMNS, _INDEXES, _CONSTRAINTS):
        yield from ((str(table), str(fact)) for table, fact in connection.execute(query))


def _of_sqlite(connection: Connection) -> Iterator[tuple[str, str]]:
    seen = inspect(connection)
    for row in connection.exec_driver_sql("PRAGMA table_list").mappings():
        table = str(row["name"])
        if row["schema"] != "main" or row["type"] != "table" or table.startswith("sqlite_"):
            continue
        yield table, f"table{' without rowid' if row['wr'] else ''}{' strict' if row['strict'] else ''}"
        if "AUTOINCREMENT" in _sql(connection, table):
            yield table, "autoincrement"
        yield from ((table, fact) for fact in _columns_of_sqlite(connection, table))
        yield from ((table, fact) for fact in _indexes_of_sqlite(connection, table))
        for check in seen.get_check_constraints(table):
            yield table, f"check {check['name']} {check['sqltext']}"


def _columns_of_sqlite(connection: Connection, table: str) -> Iterator[str]:
    found = connection.execute(text("SELECT * FROM pragma_table_xinfo(:table)"), {"table": table}).mappings()
    for row in found:
        null = " not null" if row["notnull"] else ""
        default = "" if row["dflt_value"] is None else f" default {row['dflt_value']}"
        key = f" key {row['pk']}" if row["pk"] else ""
        yield f"column {row['name']} {row['type']}{null}{default}{key}"


def _indexes_of_sqlite(connection: Connection, table: str) -> Iterator[str]:
    found = connection.execute(text("SELECT * FROM pragma_index_list(:table)"), {"table": table}).mappings().all()
    for row in found:
        columns = connection.execute(
            text('SELECT name, "desc" FROM pragma_index_xinfo(:index) WHERE "key" ORDER BY seqno'),
            {"index": row["name"]},
        ).all()
        names = ", ".join(f"{name}{' desc' if down else ''}" for name, down in columns)
        named = row["name"] if row["origin"] == "c" else {"u": "constraint", "pk": "primary key"}[row["origin"]]
        where = _sql(connection, row["name"]).partition(" WHERE ")[2] if row["partial"] else ""
        yield f"{'unique ' if row['unique'] else ''}index {named} ({names}){' where ' + where if where else ''}"


def _sql(connection: Connection, name: str) -> str:
    found = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar()
    return str(found or "")
