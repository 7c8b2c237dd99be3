"""English: code to (fact, cause, fix, fix where a fact is missing). An empty fact is the docstring of the class."""

Words = tuple[str, str, str] | tuple[str, str, str, str]

_OWNER = "Ask {owner}", "Ask the owner of the key"
_LATER = "Retry in {retry_after} s", "Retry later"

ENGLISH: dict[str, Words] = {
    # --- who calls
    "missing_api_key": (
        "",
        "The request has none of the headers that carry a key.",
        "Send the header Authorization: Bearer KEY",
    ),
    "malformed_api_key": (
        "",
        "The checksum at the end of the key does not fit. A character was lost or changed.",
        "Copy the key whole, from clv to its last character",
    ),
    "invalid_api_key": (
        "",
        "The key has the right form. This gateway never issued it, or the key was retired.",
        "Check which gateway issued the key, and its address in the client",
    ),
    "provider_key_sent": (
        "",
        "The key has the form of a provider's own. Clients of the gateway hold virtual keys.",
        "Send a virtual key; rotate the provider key if others can read this request",
    ),
    "key_expired": ("", "The expiry set for the key has passed.", *_OWNER),
    "key_disabled": ("", "Its owner or an admin stopped the key. It can be enabled again.", *_OWNER),
    "key_revoked": (
        "",
        "The key was ended for good, often after a leak.",
        "Ask {owner} for a new key",
        "Ask the owner of the key for a new one",
    ),
    "key_rotated": (
        "",
        "The key was rotated, and its grace period is over.",
        "Use version {k}",
        "Use the current version of the key",
    ),
    "key_pending": ("", "The key was created to start later.", "Wait until then, or ask an admin to start it now"),
    "ip_not_allowed": (
        "",
        "The key works only from the addresses on its list.",
        "Call from a listed address, or ask {owner} to add this one",
        "Call from a listed address",
    ),
    # --- what is asked
    "model_not_allowed": (
        "",
        "The scope of the key does not hold this model.",
        "Use {list}",
        "Ask the owner of the key to add the model",
    ),
    "endpoint_not_allowed": (
        "",
        "The scope of the key does not hold this endpoint.",
        "Use {list}",
        "Ask the owner of the key to add the endpoint",
    ),
    "feature_not_declared": (
        "",
        "Features are declared on the key, to tell their cost apart.",
        "Use {list}, or declare the feature on the key",
        "Declare the feature on the key",
    ),
    "model_not_found": (
        "",
        "No route or provider here has a model of this name.",
        "Try {guess}",
        "List the models with GET /v1/models",
    ),
    "endpoint_not_found": (
        "",
        "The path is misspelled, or this gateway does not serve it.",
        "Check the base URL: it ends in /v1 for OpenAI clients, before it for Anthropic ones",
    ),
    "method_not_allowed": ("", "The path exists, for another method.", "Use {allowed}", "Use the method it takes"),
    "malformed_json": ("", "The body is no JSON as RFC 8259 defines it.", "Correct the body at that place"),
    "invalid_parameter": ("", "The value breaks the rule of the parameter.", "Change {name}"),
    "missing_header": ("", "The endpoint needs this header.", "Send {example}", "Send the header"),
    "invalid_header": ("", "The value breaks the rule of the header.", "Change the header {name}"),
    "malformed_request": (
        "",
        "The bytes break HTTP/1.1, or a rule against smuggled requests.",
        "Send the request with a standard HTTP client",
    ),
    "head_too_large": ("", "Target and headers have a fixed limit.", "Send fewer or shorter headers"),
    "body_too_large": (
        "",
        "The body passes the limit of the gateway.",
        "Send less, or raise gateway.body_bytes in the settings",
    ),
    "request_timeout": (
        "",
        "The connection is slow, or the client stopped in the middle.",
        "Send the request again",
    ),
    "expectation_failed": ("", "The gateway knows 100-continue alone.", "Send the request without Expect"),
    "unsupported_media_type": ("", "The endpoint reads JSON.", "Send Content-Type: application/json"),
    "tls_required": (
        "",
        "The request came in the clear. A proxy may have left out X-Forwarded-Proto.",
        "Use https:// in the address; a proxy has to set X-Forwarded-Proto",
    ),
    "format_not_served": (
        "",
        "The provider of this model has no such endpoint.",
        "Use another endpoint for {model}, or another model",
    ),
    # --- money
    "insufficient_quota": (
        "",
        "A budget of this key is spent, or held by open calls. Each call is held at its worst case.",
        "Lower max_tokens, or wait until {resets_at}",
        "Lower max_tokens, or ask for a larger budget",
    ),
    "request_over_ceiling": ("", "The key has a ceiling for each request.", "Lower max_tokens or send less"),
    "unpriced_model": (
        "",
        "Under a budget, only models with a known price may be called.",
        "Ask an admin to set its price",
    ),
    "unbounded_input": (
        "",
        "A budget holds the worst case first. This part has no known most.",
        "Send it inline, or leave it out",
    ),
    "budget_busy": (
        "",
        "Other workers hold the rest of the budget. Nobody proved that it is spent.",
        *_LATER,
    ),
    "ledger_unavailable": (
        "",
        "The database is away. The money set aside here is used up.",
        *_LATER,
    ),
    "storage_full": (
        "",
        "No call may leave before its hold is on disk.",
        "Free space in the data directory, then retry",
    ),
    # --- the provider
    "context_length_exceeded": (
        "",
        "Prompt and answer together must fit the context of the model.",
        "Send less, or use a model with a larger context",
    ),
    "content_filter": ("", "The provider judged prompt or answer against its policy.", "Change the content"),
    "upstream_refused": (
        "",
        "The provider found the request invalid. A retry gets the same answer.",
        "Correct the request",
    ),
    "upstream_auth_failed": (
        "",
        "The provider does not take the credential in the vault. The key of the caller is fine.",
        "Ask an admin to run clavero credential test {provider}",
        "Ask an admin to test the credential",
    ),
    "upstream_rate_limited": ("", "The account at the provider has reached its own limit.", *_LATER),
    "upstream_error": ("", "Each attempt met a failure of the provider.", *_LATER),
    "upstream_proxy_failed": (
        "",
        "Calls leave through HTTPS_PROXY. It refused, or is away; the provider was not asked.",
        "Ask the operator to check HTTPS_PROXY, its password and its rules",
    ),
    "upstream_timeout": ("", "The provider sent nothing within the deadline.", "Retry, or use another model"),
    "stream_interrupted": (
        "",
        "The connection to the provider ended before its answer did.",
        "Discard the text and retry",
    ),
    "no_credential": (
        "",
        "The vault holds none for this provider, or all are disabled.",
        "Ask an admin to run clavero credential add {provider}",
        "Ask an admin to add a credential",
    ),
    # --- pace and the gateway itself
    "rate_limit_exceeded": ("", "The key has used its calls or tokens for this minute.", *_LATER),
    "concurrency_exceeded": ("", "The key has as many calls open as it may.", "Let one end, then retry"),
    "overloaded": ("", "More calls arrive than the gateway can carry now.", *_LATER),
    "draining": ("", "It finishes open calls and takes no new ones.", *_LATER),
    "internal_error": (
        "",
        "The gateway met a state that it should never meet.",
        "Report {request_id} to the operator",
    ),
    # --- the control plane
    "refusal": ("The change was refused", "A rule of the control plane forbids it.", "Read the message it came with"),
    "conflict": (
        "Somebody changed the object meanwhile",
        "Two changes met. The first one counts.",
        "Show the object, then change it again",
    ),
    "record_deleted": (
        "The record is deleted",
        "Records are kept for retention.records_days; sums by hour and day are kept for longer.",
        "clavero usage has the sums. A larger retention.records_days keeps records for longer from now on",
    ),
    "already_exists": (
        "The name is taken",
        "Names are unique within their kind.",
        "Use another name, or change the object that has it",
    ),
    "state_forbids": (
        "The state of the object does not allow this",
        "States change along fixed edges. Revoked is for ever.",
        "Show the object first: clavero NOUN show NAME",
    ),
    "in_use": (
        "Something else needs the object",
        "Deleting it would break what uses it.",
        "Change what uses it first; the message names it",
    ),
    "owner_unknown": (
        "There is no such member to own a key",
        "Every key has an owner who is a member. The first one is made with the first key, no other.",
        "Add them: clavero member add NAME",
    ),
    "owner_left": (
        "The owner has left",
        "Who has left answers for no key that begins or works again.",
        "Give the key to a member who is here: clavero member list",
    ),
    "tier_forbids": (
        "The risk tier of the environment does not allow such a key",
        "Critical environments ask for an end, rotation and a contact.",
        "Do what the message names, or see clavero env drift",
    ),
    "environment_frozen": (
        "The environment is frozen",
        "A window without changes was set; revoking is never refused.",
        "Wait, or override it with --override --reason WHY",
    ),
    "change_not_recorded": (
        "The change could not be recorded",
        "Nothing changes without its audit row.",
        "Check the database with clavero doctor",
    ),
    "storage_unavailable": (
        "The database cannot take changes",
        "It is stopped or full. Nothing was changed.",
        "Free space or restore it, then repeat",
    ),
    "not_found": (
        "There is no such object",
        "The name is misspelled, or the object was deleted.",
        "List what there is: clavero NOUN list",
    ),
    "invalid_value": (
        "A value breaks its rule",
        "Each field has a rule; the message names both.",
        "Use the suggested value",
    ),
    "forbidden": (
        "The role does not allow this",
        "Each operation names the permission that it needs.",
        "Ask an owner for the permission",
    ),
    "not_signed_in": (
        "Nobody is signed in",
        "The session ended, or the token is missing or unknown.",
        "Sign in again: clavero open",
    ),
    # --- starting
    "port_in_use": (
        "The port is in use",
        "Another program listens there.",
        "Use another port; 0 takes any free one",
    ),
    "port_forbidden": (
        "The port may not be bound",
        "Ports below 1024 need a capability.",
        "Use a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
    ),
    "address_not_here": (
        "The address is not one of this machine",
        "The listener was told an address that no interface here has.",
        "Use 127.0.0.1, 0.0.0.0, or an address that ip addr shows",
    ),
    "exposed_in_the_clear": (
        "Other machines would reach the listener without TLS",
        "Keys and tokens would travel in the clear.",
        "Give --tls-cert and --tls-key, or --behind-proxy CIDR",
    ),
    "tls_incomplete": (
        "One of certificate and key is missing",
        "TLS needs both files.",
        "Give --tls-cert FILE and --tls-key FILE",
    ),
    "tls_file_unreadable": (
        "A file of the certificate cannot be read",
        "It is not there, or closed to the user that runs clavero.",
        "Check path, owner and mode of the file",
    ),
    "tls_unusable": (
        "The certificate cannot be served",
        "A file is not PEM. Or the pair is too weak, or too old.",
        "Renew the pair; openssl x509 -noout -text -in FILE shows what it is",
    ),
    "tls_key_open": (
        "The private key is open to every user of the machine",
        "Whoever reads it can pose as this server.",
        "chmod o= FILE",
    ),
    "tls_key_encrypted": (
        "The private key asks for a passphrase",
        "Nobody is there to type it when the service starts.",
        "Store it without one, closed to others: openssl pkey -in FILE -out FILE",
    ),
    "tls_key_mismatch": (
        "The private key belongs to another certificate",
        "The files were not issued together. Or the chain begins with another certificate.",
        "Give the files that were issued together, the server's certificate first",
    ),
    "already_running": (
        "clavero already runs on this data directory",
        "One supervisor at a time uses a data directory.",
        "Use the one that runs, or stop it first",
    ),
    "wrong_root_key": (
        "The vault was sealed with another root key",
        "seal/root.key was replaced, or the database comes from elsewhere.",
        "Restore the root key that the message names. Nothing was changed",
    ),
    "seal_exists": (
        "There is a root key already",
        "Another start made it at the same moment.",
        "Start clavero again",
    ),
    "seal_missing": (
        "The root key is missing",
        "seal/root.key was moved or deleted. Without it the vault stays closed.",
        "Restore it from your backup",
    ),
    "seal_elsewhere": (
        "The root key of the control plane is not on this machine",
        "Both machines open one vault, with the same root key.",
        "Copy seal/root.key there, for its owner alone",
    ),
    "needs_server": (
        "Two machines need PostgreSQL",
        "SQLite is a file, and a file means one machine.",
        "Set DATABASE_URL to the PostgreSQL that the control plane uses",
    ),
    "control_plane_unseen": (
        "No control plane has made this database",
        "DATABASE_URL leads elsewhere, or the control plane never started.",
        "Start the machine of the control plane first, with the same DATABASE_URL",
    ),
    "seal_unusable": (
        "The root key cannot be read or written",
        "It is no plain file, or the permissions forbid it.",
        "Change its owner, or put the key there as a file",
    ),
    "seal_owner": (
        "The root key belongs to somebody else",
        "clavero uses a root key only as its owner.",
        "Change its owner, or run clavero as them",
    ),
    "seal_permissions": (
        "Others can read the root key",
        "The permissions of seal/root.key are wider than 0600.",
        "Narrow them: chmod 600 seal/root.key",
    ),
    "seal_malformed": (
        "The file holds no root key",
        "It was cut, edited, or replaced by something else.",
        "Restore it from your backup",
    ),
    "passphrase_needed": (
        "The vault is sealed by a passphrase, and nobody could be asked",
        "clavero was started without a terminal, as a service manager does.",
        "Use --passphrase-file FILE, a systemd credential, or start it at a terminal",
    ),
    "wrong_passphrase": (
        "The passphrase does not open the root key",
        "It was mistyped, it is an older one, or seal/root.key was altered.",
        "Give the passphrase it was sealed with; no other way opens it. Nothing was changed",
    ),
    "passphrase_weak": (
        "The passphrase is too short",
        "Whoever has the file can try passphrases at leisure.",
        "Take several words that nobody would put together",
    ),
    "passphrase_differs": (
        "The two passphrases differ",
        "One of them was mistyped.",
        "Run the command again. Nothing was changed",
    ),
    "passphrase_file": (
        "The passphrase file cannot be used",
        "It is away, open to others, or has more than one line.",
        "Put the passphrase on one line of a file of mode 0600",
    ),
    "passphrase_unused": (
        "A passphrase was given, but the seal is a plain file",
        "Whoever reads that file has the root key, whatever was set.",
        "Seal it: clavero vault seal passphrase. Or leave the setting out",
    ),
    "vault_closed": (
        "The keys of the vault do not open",
        "Rows of the vault or its root key changed while clavero ran.",
        "See clavero vault status. Start again with the right root key",
    ),
    "rekey_runs": (
        "The vault is moving to other new keys already",
        "One move at a time: each is resumed until it is done.",
        "Wait for it: clavero vault status",
    ),
    "others_need_root_key": (
        "Another machine works with the present root key",
        "A new root key never travels over a network.",
        "Stop clavero there, re-key, copy seal/root.key there",
    ),
    "data_dir_unwritable": (
        "The data directory cannot be written",
        "It belongs to somebody else, or the disk is read-only or full.",
        "Change its owner, or use --data-dir DIR",
    ),
    "database_newer": (
        "The database was made by a later clavero",
        "An older program does not know the schema.",
        "Install the later version. Nothing was changed",
    ),
    "database_older": (
        "The database needs a migration",
        "It was made by an earlier clavero.",
        "Run clavero db migrate; it makes a backup first. Nothing was changed",
    ),
    "database_half_migrated": (
        "A migration of the database has not ended",
        "clavero db migrate was stopped on its way; what it did is kept.",
        "Run clavero db migrate again: it goes on where it stopped",
    ),
    "database_foreign": (
        "The database belongs to another program",
        "It holds tables that no clavero made.",
        "Name an empty database in DATABASE_URL, or another data directory. Nothing was changed",
    ),
    "database_missing": (
        "There is no database yet",
        "Nothing was started here, or DATABASE_URL names an empty database.",
        "Start it once: clavero up; or name the right data directory",
    ),
    "database_exists": (
        "There is a database already",
        "A restore writes over nothing unless it is told to.",
        "Repeat with --replace: it moves the old one aside",
    ),
    "database_damaged": (
        "The database is damaged",
        "Its pages contradict each other: a bad disk, or another program.",
        "Restore a backup: clavero db restore FILE --replace",
    ),
    "backup_missing": (
        "There is no such backup",
        "The file is not there, or has another name.",
        "List them: clavero db backups",
    ),
    "backup_damaged": (
        "The backup is not whole",
        "It was cut or altered, or is another kind of file.",
        "Take another one: clavero db backups lists them",
    ),
    "backup_unwritable": (
        "The file cannot be written",
        "The disk is full, or the place belongs to somebody else.",
        "Free space, or name another place. Nothing was changed",
    ),
    "database_unavailable": (
        "The database does not answer",
        "The address is wrong, or the server is stopped or full.",
        "Check storage.database_url and the server, then repeat",
    ),
    "not_running": (
        "clavero is not running here",
        "No supervisor holds this data directory.",
        "Start it: clavero up; or name another: --url URL",
    ),
    "child_died": (
        "A process of clavero ended before it served",
        "Its last lines on stderr say why.",
        "Read them, or run clavero doctor",
    ),
    "bad_setting": (
        "A setting is unknown or out of its range",
        "A flag, a variable or clavero.toml is misspelled.",
        "See every name with clavero settings",
    ),
    "nginx_missing": (
        "There is no nginx here to compare with",
        "The bench measures beside it.",
        "Install nginx-light",
    ),
    "one_core": (
        "The bench needs two cores",
        "Load and gateway must not share one.",
        "Run it where there are two",
    ),
    "bench_failed": (
        "A process of the bench did not start",
        "Its last lines were not kept.",
        "Run it by hand to see why",
    ),
    "vault_damaged": (
        "The vault does not open",
        "A row of it is missing or was altered.",
        "Restore the database from a backup. Nothing was changed",
    ),
    "stranger": (
        "The console does not serve this visitor",
        "Without TLS it is for this machine alone, under its own name.",
        "Open it on the machine itself, or put TLS before it",
    ),
}
