"""The life of virtual keys: made, rotated, paused, ended. Every verb is one operation; `domain/keys` holds the edges.

A secret leaves here once, in `Issued`; what is stored is its digest. Nothing is ever written over: a rotated key keeps
all its versions, a revoked one its name. Every operation takes a `reason`, which `perform` keeps in the audit row.
"""

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import key_named
from clavero.control.freezes import unfrozen
from clavero.control.members import living, owner_of, still_here
from clavero.control.places import Place, check, settle
from clavero.control.tiers import admit, check_end, renewed
from clavero.domain import scopes, tokens
from clavero.domain.keys import OVER, Key, KeyState, KeyVersion, Kid, may_become, newest, state_at, working_state
from clavero.domain.names import NameParts, NameRule, suggestion
from clavero.domain.organisation import Service
from clavero.domain.refusals import AlreadyExists, InvalidValue, StateForbids
from clavero.domain.secret import Secret, last_four, mask
from clavero.domain.tokens import Kind

DAY_NS = 24 * 3600 * 1_000_000_000
LONGEST_GRACE_NS = 90 * DAY_NS
_MOST_OUTPUT_TOKENS = 1_000_000
_LONGEST_WORDS = 200
_SUGGESTIONS = 200  # names that are tried for being free

_FIXES = {
    KeyState.DISABLED: "clavero key enable NAME",
    KeyState.REVOKED: "Revoking is final: clavero key create makes another",
    KeyState.RETIRED: "Retiring is final: clavero key create makes another",
}


class NewKey(Struct, frozen=True, kw_only=True):
    """What a key is asked to be; what is left empty follows from its name. Times are UTC nanoseconds, 0 is never."""

    name: str
    owner: str
    service: str = ""
    environment: str = ""
    team: str = ""
    project: str = ""
    purpose: str = ""
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    starts_ns: int = 0
    expires_ns: int = 0
    default_output_tokens: int = 4096


class KeyEdit(Struct, frozen=True, kw_only=True):
    """What changes of a key. A whole list replaces; `add_` and `remove_` change a list that is there."""

    owner: str | UnsetType = UNSET
    purpose: str | UnsetType = UNSET
    expires_ns: int | UnsetType = UNSET
    default_output_tokens: int | UnsetType = UNSET
    models: tuple[str, ...] | UnsetType = UNSET
    endpoints: tuple[str, ...] | UnsetType = UNSET
    add_models: tuple[str, ...] = ()
    remove_models: tuple[str, ...] = ()
    add_endpoints: tuple[str, ...] = ()
    remove_endpoints: tuple[str, ...] = ()
    add_features: tuple[str, ...] = ()
    remove_features: tuple[str, ...] = ()


class Issued(Struct, frozen=True):
    """A key and its newest secret: the only time that the secret is seen."""

    key: Key
    secret: Secret


# --- making


@operation("key.create")
async def create(change: Changing, *, wanted: NewKey, override: bool = False, reason: str = "") -> Issued:
    """A new key, and whatever of its place is new; the first owner of a house too."""
    parts = await _free_name(change, wanted.name)
    place = check(await _place(change, wanted, parts))
    await unfrozen(change, place.environment, override=override, reason=reason)
    kid, secret = await _mint(change, place.environment)
    key = Key(
        id=kid,
        name=wanted.name,
        owner=(await owner_of(change, wanted.owner)).name,
        service=place.service,
        environment=place.environment,
        purpose=scopes.words(wanted.purpose, "purpose", _LONGEST_WORDS) or parts.purpose,
        models=scopes.models(wanted.models),
        endpoints=scopes.endpoints(wanted.endpoints),
        features=scopes.features(wanted.features),
        starts_ns=_starts(change, wanted.starts_ns),
        expires_ns=_expires(change, wanted.expires_ns, wanted.starts_ns),
        default_output_tokens=_output_tokens(wanted.default_output_tokens),
        versions=(_version(change, 1, secret),),
        created_ns=change.now_ns,
    )
    key = replace(key, state=working_state(key, change.now_ns))
    await admit(change, key)
    await change.put(key)  # first: it is what the audit row is about
    await settle(change, place)
    return Issued(key, secret)


@operation("key.rotate")
async def rotate(
    change: Changing,
    *,
    name: str,
    grace_ns: int = DAY_NS,
    override: bool = False,
    reason: str = "",
) -> Issued:
    """A new secret for a key; the ones before it work for the grace that is given, none at 0."""
    if not 0 <= grace_ns <= LONGEST_GRACE_NS:
        raise InvalidValue("grace", "from 0 to 90 days", "24h")
    key = await key_named(change, name)
    state = state_at(key, change.now_ns)
    if state in _FIXES:
        raise _forbidden(key, state, "rotated")
    await unfrozen(change, key.environment, override=override, reason=reason)
    secret = _remint(change, key)
    ends_ns = change.now_ns + grace_ns
    old = tuple(replace(one, ends_ns=min(one.ends_ns or ends_ns, ends_ns)) for one in key.versions)
    key = replace(key, versions=(*old, _version(change, newest(key).number + 1, secret)))
    key = await renewed(change, replace(key, state=working_state(key, change.now_ns)), grace_ns)
    await change.put(key)
    return Issued(key, secret)


# --- pausing and ending


@operation("key.disable")
async def disable(change: Changing, *, name: str, override: bool = False, reason: str = "") -> Key:
    """Refuse a key until it is enabled again."""
    key = await key_named(change, name)
    await unfrozen(change, key.environment, override=override, reason=reason)
    return await _move(change, name, KeyState.DISABLED, reason)


@operation("key.enable")
async def enable(change: Changing, *, name: str, override: bool = False, reason: str = "") -> Key:
    """Let a disabled key work again, as pending, active or rotating as it would have been."""
    key = await key_named(change, name)
    if key.state is not KeyState.DISABLED:
        raise _forbidden(key, state_at(key, change.now_ns), "enabled")
    await unfrozen(change, key.environment, override=override, reason=reason)
    await still_here(change, key)
    key = replace(key, state=working_state(key, change.now_ns), reason="")
    await change.put(key)
    return key


@operation("key.revoke")
async def revoke(change: Changing, *, name: str, reason: str = "") -> Key:
    """End a key for ever, all versions of it; its name is never given again."""
    return await _move(change, name, KeyState.REVOKED, reason)


@operation("key.retire")
async def retire(change: Changing, *, name: str, override: bool = False, reason: str = "") -> Key:
    """Put a revoked key away."""
    key = await key_named(change, name)
    await unfrozen(change, key.environment, override=override, reason=reason)
    return await _move(change, name, KeyState.RETIRED, reason or key.reason)


# --- changing


@operation("key.update")
async def update(change: Changing, *, name: str, edit: KeyEdit, override: bool = False, reason: str = "") -> Key:
    """Change what a key may do, whose it is or when it ends; never its secret or its name."""
    key = await key_named(change, name)
    if key.state in OVER:
        raise _forbidden(key, key.state, "changed")
    await unfrozen(change, key.environment, override=override, reason=reason)
    key = _with_facts(change, key, edit)
    if edit.expires_ns is not UNSET:
        await check_end(change, key)
    if edit.owner is not UNSET:
        key = replace(key, owner=(await owner_of(change, edit.owner)).name)
    models = key.models if edit.models is UNSET else scopes.models(edit.models)
    endpoints = key.endpoints if edit.endpoints is UNSET else scopes.endpoints(edit.endpoints)
    added = scopes.features(edit.add_features, "add_features")
    features = tuple(one for one in dict.fromkeys((*key.features, *added)) if one not in edit.remove_features)
    key = replace(
        key,
        models=_scope("models", models, scopes.models(edit.add_models, "add_models"), edit.remove_models),
        endpoints=_scope(
            "endpoints", endpoints, scopes.endpoints(edit.add_endpoints, "add_endpoints"), edit.remove_endpoints
        ),
        features=scopes.features(features),
    )
    await change.put(key)
    return key


@operation("key.transfer")
async def transfer(change: Changing, *, name: str, to: str, override: bool = False, reason: str = "") -> Key:
    """Give a key to another owner, who answers for it from now on."""
    key = await key_named(change, name)
    if key.state in OVER:
        raise _forbidden(key, key.state, "given away")
    await unfrozen(change, key.environment, override=override, reason=reason)
    key = replace(key, owner=(await living(change, to)).name)
    await change.put(key)
    return key


# --- looking


async def list_keys(desk: Desk, *, state: KeyState | None = None, **equal: object) -> list[Key]:
    """The keys whose fields have these values, by name; states as of now."""
    async with desk.store.read() as look:
        keys = await look.find(Key, **equal)
    now_ns = desk.clock.wall_ns()
    found = (replace(key, state=state_at(key, now_ns)) for key in keys)
    return sorted((key for key in found if state in {None, key.state}), key=lambda key: key.name)


async def show_key(desk: Desk, name: str) -> Key:
    """The key with this name or kid, its state as of now; `NotFound` with the nearest name."""
    async with desk.store.read() as look:
        key = await key_named(look, name)
    return replace(key, state=state_at(key, desk.clock.wall_ns()))


# --- rules of the fields


async def _free_name(change: Changing, name: str) -> NameParts:
    rule = change.desk.names
    parts = rule.read(name)
    if parts is not None and not await change.find(Key, name=name):
        return parts
    better = await _suggest(change, name, rule)
    raise InvalidValue("name", rule.words, better) if parts is None else AlreadyExists("key", name, better)


async def _suggest(change: Changing, name: str, rule: NameRule) -> str:
    """A free name, asked one by one: there may be a hundred thousand taken ones."""
    taken: set[str] = set()
    for _ in range(_SUGGESTIONS):
        better = suggestion(name, rule, taken)
        if not better or not await change.find(Key, name=better):
            return better
        taken.add(better)
    return ""


async def _place(change: Changing, wanted: NewKey, parts: NameParts) -> Place:
    service = wanted.service
    if not service and parts.purpose:  # a known service of two words is not a service and a purpose
        both = f"{parts.service}-{parts.purpose}"
        service = both if await change.get(Service, both) else ""
    return Place(
        environment=_environment(wanted, parts),
        service=service or parts.service,
        team=wanted.team,
        project=wanted.project,
    )


def _environment(wanted: NewKey, parts: NameParts) -> str:
    if wanted.environment and parts.env and wanted.environment != parts.env:
        raise InvalidValue("environment", f"{parts.env}, as the name says", parts.env)
    return wanted.environment or parts.env


def _starts(change: Changing, starts_ns: int) -> int:
    return starts_ns if starts_ns > change.now_ns else 0


def _expires(change: Changing, expires_ns: int, starts_ns: int) -> int:
    if expires_ns and expires_ns <= max(change.now_ns, starts_ns):
        raise InvalidValue("expires", "a time to come, after the key has begun")
    return expires_ns


def _output_tokens(tokens_: int) -> int:
    if not 1 <= tokens_ <= _MOST_OUTPUT_TOKENS:
        raise InvalidValue("default_output_tokens", f"from 1 to {_MOST_OUTPUT_TOKENS}", "4096")
    return tokens_


def _with_facts(change: Changing, key: Key, edit: KeyEdit) -> Key:
    if edit.purpose is not UNSET:
        key = replace(key, purpose=scopes.words(edit.purpose, "purpose", _LONGEST_WORDS))
    if edit.expires_ns is not UNSET:
        key = replace(key, expires_ns=_expires(change, edit.expires_ns, key.starts_ns))
    if edit.default_output_tokens is not UNSET:
        key = replace(key, default_output_tokens=_output_tokens(edit.default_output_tokens))
    return key


def _scope(field: str, now: tuple[str, ...], added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
    """A scope after a change. An empty one means everything, so nothing may empty or fill it by the way."""
    if not now and (added or removed):
        raise InvalidValue(field, f"given whole: this key may use all {field}")
    for one in removed:
        if one not in now:
            raise InvalidValue(f"remove_{field}", f"among {', '.join(now)}")
    left = tuple(one for one in dict.fromkeys((*now, *added)) if one not in removed)
    if now and not left:
        raise InvalidValue(field, "at least one: a key without any may use all; clavero key disable stops it")
    return left


# --- minting and moving


async def _mint(change: Changing, environment: str) -> tuple[Kid, Secret]:
    while True:
        kid, secret = tokens.mint(Kind.VIRTUAL_KEY, environment, change.desk.dice.token)
        if await change.get(Key, kid) is None:
            return kid, secret


def _remint(change: Changing, key: Key) -> Secret:
    return tokens.mint_for(Kind.VIRTUAL_KEY, key.environment, key.id, change.desk.dice.token)


def _version(change: Changing, number: int, secret: Secret) -> KeyVersion:
    prints = change.desk.fingerprints
    digest = prints.digest(secret.reveal(), prints.newest)
    return KeyVersion(number, digest, prints.newest, last_four(secret), change.now_ns)


async def _move(change: Changing, name: str, state: KeyState, reason: str) -> Key:
    key = await key_named(change, name)
    now = state_at(key, change.now_ns)
    if not may_become(now, state):
        raise _forbidden(key, now, str(state))
    key = replace(key, state=state, reason=_reason(reason))
    await change.put(key)
    return key


def _reason(reason: str) -> str:
    """Why, as it is kept: masked and cut rather than refused, since a leaked key must be revoked whatever is said."""
    return " ".join(mask(reason).split())[:_LONGEST_WORDS]


def _forbidden(key: Key, state: KeyState, verb: str) -> StateForbids:
    fix = _FIXES.get(state, "clavero key show NAME").replace("NAME", key.name)
    if verb == KeyState.RETIRED:
        fix = f"clavero key revoke {key.name}"
    return StateForbids("key", key.name, state, verb, fix)
