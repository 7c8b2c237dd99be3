import copy
import json
import logging
import pickle
import sys
import traceback

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clavero.domain import secret as room
from clavero.domain.secret import MASK, Secret, encode_hook, last_four, mask, mask_event, mask_record, masked

CANARY = "cnry" + "Zq7" * 9  # no known form: only the type can hide it
KID = "0123456789AB"


class Holder(msgspec.Struct):
    secret: Secret


@pytest.fixture
def secret() -> Secret:
    return Secret(CANARY)


def test_reveal_is_the_way_out(secret: Secret) -> None:
    assert secret.reveal() == CANARY


@pytest.mark.requirement(12)
def test_no_way_of_showing_it_shows_it(secret: Secret) -> None:
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>60}",
        f"{secret:>40}",
        "%s %r" % (secret, secret),  # noqa: UP031 - the old way is one of the ways
        repr([secret]),
        repr({"a": secret}),
        repr(Holder(secret)),
        json.dumps({"a": secret}, default=encode_hook),
        json.dumps({"a": secret}, default=str),
        msgspec.json.encode(Holder(secret), enc_hook=encode_hook).decode(),
        repr(vars(type(secret)).get("__dict__")),
        repr(pickle.dumps(secret)),
        repr(pickle.dumps(Holder(secret))),
        repr(object.__getattribute__(secret, "__getstate__")()),
        repr(secret.__reduce_ex__(2)),
        repr(traceback.TracebackException(ValueError, ValueError(secret), None)),
    ]
    assert not [text for text in shown if CANARY in text]


def test_an_encoder_without_a_hook_refuses_it(secret: Secret) -> None:
    for encode in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as caught:
            encode(secret)
        assert CANARY not in str(caught.value)


def test_a_hook_leaves_other_types_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be encoded"):
        encode_hook(object())


def test_a_pickled_secret_is_lost_and_says_so(secret: Secret) -> None:
    lost = pickle.loads(pickle.dumps(secret))
    assert str(lost) == MASK
    with pytest.raises(ValueError, match="masked"):
        lost.reveal()


def test_a_copy_is_the_same_secret(secret: Secret) -> None:
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_equal_secrets_are_equal_and_never_equal_to_text(secret: Secret) -> None:
    assert secret == Secret(CANARY)
    assert secret != Secret(CANARY + "x")
    assert secret != CANARY
    assert len({secret, Secret(CANARY), Secret("other")}) == 2
    assert hash(secret) != hash(CANARY)


def test_an_empty_secret_is_false(secret: Secret) -> None:
    assert secret
    assert not Secret("")


def test_nobody_sets_its_state(secret: Secret) -> None:
    with pytest.raises(TypeError):
        secret.__setstate__({"_value": "other"})


def test_the_last_four_of_a_short_secret_are_kept() -> None:
    assert last_four(Secret("a" * 12 + "wxyz")) == "wxyz"
    assert last_four(Secret("a" * 11 + "wxyz")) == ""


# --- the filter. Keys are made here at run time: none stands in this file.

BODY = "aB3" * 14
KEYS = {
    "ours": f"clvk_prod_{KID}_{BODY}1234567",
    "ours, cut": f"clvk_prod_{KID}_aB3",
    "ours, altered": f"clvb_PROD-{BODY}".replace("-", "_"),
    "openai": f"sk-proj-{BODY}",
    "anthropic": f"sk-ant-api03-{BODY}-AA",
    "google": f"AIza{BODY[:35]}",
    "google, new": f"AQ.{BODY}",
    "perplexity": f"pplx-{BODY}",
    "groq": f"gsk_{BODY}",
    "xai": f"xai-{BODY}",
    "huggingface": f"hf_{BODY}",
    "azure": ("aB3" * 18)[:52] + "JQQJ99" + ("aB3" * 9)[:26],
    "aws": "AKIA" + "ABCD2345" * 2,
    "github": f"ghp_{BODY}",
    "gitlab": f"glpat-{BODY}",
    "slack": f"xoxb-123-{BODY}",
    "vault": f"hvs.{BODY}",
    "signed token": f"eyJ{BODY}.eyJ{BODY}.{BODY}",
    "root key": f"clavero-root-key-v1:{BODY}",
}
PLACES = (
    "{}",
    "Incorrect API key provided: {}.",
    '{{"error":{{"message":"Incorrect key {}"}}}}',
    '"line one\\n{}\\nline three"',
    "url=https://host/path%20{}",
    "http://127.0.0.1:4142/sign-in#{}",
    "('{}',)",
    "[{}]",
    "k={} j=2",
)


@pytest.mark.requirement(30, 38)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", KEYS)
def test_every_known_form_is_masked_wherever_it_stands(form: str, place: str) -> None:
    text = mask(place.format(KEYS[form]))
    assert BODY[:8] not in text
    assert KEYS[form] not in text
    assert MASK in text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization: bearer {}",
        "Authorization: Basic {}",
        "{{'authorization': 'Bearer {}'}}",
        '{{"x-api-key": "{}"}}',
        '{{\\"x-api-key\\":\\"{}\\"}}',
        "(b'api-key', b'{}')",
        "X-Goog-Api-Key:{}",
        "OPENAI_API_KEY={}",
        "AZURE_OPENAI_API_KEY='{}'",
        "password={}",
        "Cookie: theme=dark; clavero={}",
        "postgresql://clavero:{}@db.example:5432/clavero",
        "GET /v1beta/models/x?key={} HTTP/1.1",
        "GET /x?a=1&token={}&b=2",
        "sent Bearer {} to the host",
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----",
    ],
)
def test_a_secret_without_a_form_is_known_by_its_name(text: str) -> None:
    assert CANARY not in mask(text.format(CANARY))


@pytest.mark.parametrize(
    "text",
    [
        "prod-helpdesk-triage-agents-01 revoked by asha",
        "task-management-service-01",
        "tokens_in=55 tokens_out=12 key_id=0123456789AB",
        "Send Authorization: Bearer KEY",
        "Envía Authorization: Bearer CLAVE",
        "the api key is missing",
        "https://api.example:443/v1/chat/completions",
        "team/support has $0.02 left",
        "req_01JD8Z sk-short",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert mask(text) == text


@given(st.from_regex(room._KNOWN, fullmatch=True))
@settings(suppress_health_check=list(HealthCheck))
def test_no_form_gets_past_the_quick_look(text: str) -> None:
    assert mask(text) == room._KNOWN.sub(room._hide, text)


def test_kind_environment_and_kid_of_ours_stay_readable() -> None:
    assert mask(KEYS["ours"]) == f"clvk_prod_{KID}_{MASK}"


@pytest.mark.parametrize(
    "unit", ["eyJ", "-eyJ", "sk-", "clvk_", "://a:", "Bearer ", "api-key", "A", "%20eyJ", "\\n", "-----BEGIN "]
)
def test_masking_takes_time_in_proportion_to_the_text(unit: str) -> None:
    """A quadratic pattern would need minutes for these; the timeout of the suite is the bound."""
    text = unit * (400_000 // len(unit))
    assert len(mask(text)) <= len(text) + 3 * len(text)


def test_a_structured_line_is_masked_at_every_depth() -> None:
    event = {
        "event": f"refused {KEYS['openai']}",
        "authorization": CANARY,
        "deep": {"headers": [("x-api-key", KEYS["anthropic"])], "api_key": CANARY, "body": KEYS["google"].encode()},
        "error": ValueError(KEYS["groq"]),
        "secret": Secret(CANARY),
        "count": 3,
        "ratio": 0.5,
        "nothing": None,
        "other": {KEYS["xai"]},
        KEYS["vault"]: 1,
    }
    line = repr(dict(mask_event(None, "info", event)) | {KEYS["vault"]: 0, "n": event["count"]})
    line = line.replace(KEYS["vault"], "")
    assert CANARY not in line
    assert BODY not in line
    assert event["count"] == 3
    assert event["ratio"] == 0.5
    assert event["nothing"] is None


def test_a_value_that_is_endlessly_deep_ends() -> None:
    loop: dict[str, object] = {"k": KEYS["openai"]}
    loop["loop"] = loop
    assert BODY not in repr(masked(loop))


def test_a_log_record_is_masked_with_its_arguments_and_traceback() -> None:
    try:
        int(KEYS["openai"])
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "sent %s", (KEYS["anthropic"],), sys.exc_info())
    record.stack_info = KEYS["groq"]
    assert mask_record(record)
    text = logging.Formatter().format(record)
    assert BODY not in text
    assert "ValueError" in text
    assert MASK in text
