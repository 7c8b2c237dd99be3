CREATE TABLE virtual_key (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    models TEXT NOT NULL,
    endpoints TEXT NOT NULL,
    features TEXT NOT NULL,
    starts_ns BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL,
    default_output_tokens BIGINT NOT NULL,
    versions TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE provider (
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    network TEXT NOT NULL,
    models TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE credential (
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    version BIGINT NOT NULL,
    origin TEXT NOT NULL,
    sealed BLOB NOT NULL,
    last_four TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE model (
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    served TEXT NOT NULL,
    fallback TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE price (
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cached BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    cache_write_long BIGINT NOT NULL,
    image BIGINT NOT NULL,
    tiers TEXT NOT NULL,
    context BIGINT NOT NULL,
    max_output BIGINT NOT NULL,
    cap_parameter TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE budget (
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    window TEXT NOT NULL,
    limit_n BIGINT NOT NULL,
    policy TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE service (
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    team TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    repository TEXT NOT NULL,
    on_call TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE team (
    name TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE project (
    name TEXT NOT NULL,
    team TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE environment (
    name TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    tier TEXT NOT NULL,
    freezes TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE member (
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    kind TEXT NOT NULL,
    teams TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    left_ns BIGINT NOT NULL,
    due_ns BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE sealed_key (
    id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    tenant TEXT NOT NULL,
    version BIGINT NOT NULL,
    root TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE vault_rekey (
    id TEXT NOT NULL,
    root BOOLEAN NOT NULL,
    tenants TEXT NOT NULL,
    state TEXT NOT NULL,
    home TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    cells BIGINT NOT NULL,
    begun_ns BIGINT NOT NULL,
    ended_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE vault_seal (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    since_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE admin_token (
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    pepper BIGINT NOT NULL,
    role TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    ended_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE bootstrap_link (
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    pepper BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL,
    used_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE session (
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    pepper BIGINT NOT NULL,
    csrf TEXT NOT NULL,
    expires_ns BIGINT NOT NULL,
    role TEXT NOT NULL,
    ended_ns BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE audit (
    seq BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    session TEXT NOT NULL,
    level TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    reason TEXT NOT NULL,
    request_id TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (seq)
);
CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE change_log (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
CREATE TABLE ledger (
    budget_id TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    limit_n BIGINT NOT NULL,
    posted BIGINT DEFAULT 0 NOT NULL,
    leased BIGINT DEFAULT 0 NOT NULL,
    lost BIGINT DEFAULT 0 NOT NULL,
    excess BIGINT DEFAULT 0 NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    PRIMARY KEY (budget_id, period_start),
    CONSTRAINT ledger_no_debt CHECK (posted >= 0 AND leased >= 0 AND lost >= 0 AND excess >= 0),
    CONSTRAINT ledger_cap CHECK (posted + leased + lost <= limit_n + excess),
    CONSTRAINT ledger_state CHECK (state IN ('open', 'closing', 'archived'))
)
 WITHOUT ROWID;
CREATE TABLE boot (
    boot_id TEXT NOT NULL,
    worker TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    state TEXT NOT NULL,
    seg BIGINT DEFAULT 0 NOT NULL,
    off BIGINT DEFAULT 0 NOT NULL,
    heartbeat BIGINT NOT NULL,
    tail BIGINT DEFAULT 0 NOT NULL,
    kernel_boot TEXT NOT NULL,
    home TEXT NOT NULL,
    durable BOOLEAN NOT NULL,
    sealed BOOLEAN NOT NULL,
    consumed BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (boot_id),
    CONSTRAINT boot_state CHECK (state IN ('live', 'lost', 'closed'))
);
CREATE TABLE lease (
    boot_id TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    granted BIGINT DEFAULT 0 NOT NULL,
    returned BIGINT DEFAULT 0 NOT NULL,
    posted BIGINT DEFAULT 0 NOT NULL,
    moved BIGINT DEFAULT 0 NOT NULL,
    lost BIGINT DEFAULT 0 NOT NULL,
    acked BIGINT DEFAULT 0 NOT NULL,
    base BIGINT DEFAULT 0 NOT NULL,
    slack BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (boot_id, budget_id, period_start),
    CONSTRAINT lease_share CHECK (granted - returned - posted - moved >= 0 AND lost >= 0)
)
 WITHOUT ROWID;
CREATE TABLE open_hold (
    boot_id TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    rows TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    exchange BLOB,
    PRIMARY KEY (boot_id, hold_id)
)
 WITHOUT ROWID;
CREATE TABLE want (
    want_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    boot_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    rows TEXT NOT NULL,
    at BIGINT NOT NULL,
    look TEXT,
    UNIQUE (boot_id, request_id)
);
CREATE TABLE usage_group (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL,
    key_id TEXT DEFAULT '' NOT NULL,
    owner TEXT DEFAULT '' NOT NULL,
    service TEXT DEFAULT '' NOT NULL,
    team TEXT DEFAULT '' NOT NULL,
    project TEXT DEFAULT '' NOT NULL,
    environment TEXT DEFAULT '' NOT NULL,
    feature TEXT DEFAULT '' NOT NULL,
    endpoint TEXT DEFAULT '' NOT NULL,
    model_asked TEXT DEFAULT '' NOT NULL,
    model_served TEXT DEFAULT '' NOT NULL,
    provider TEXT DEFAULT '' NOT NULL,
    status BIGINT DEFAULT 0 NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    UNIQUE (digest)
);
CREATE TABLE usage_key (
    key_id TEXT NOT NULL,
    last_ns BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (key_id)
)
 WITHOUT ROWID;
CREATE TABLE usage (
    day INTEGER NOT NULL,
    hold_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    asked TEXT DEFAULT '' NOT NULL,
    input BIGINT DEFAULT 0 NOT NULL,
    cached BIGINT DEFAULT 0 NOT NULL,
    cache_write BIGINT DEFAULT 0 NOT NULL,
    output BIGINT DEFAULT 0 NOT NULL,
    reasoning BIGINT DEFAULT 0 NOT NULL,
    cost_n BIGINT DEFAULT 0 NOT NULL,
    price_version TEXT DEFAULT '' NOT NULL,
    attempts TEXT NOT NULL,
    first_token_us BIGINT DEFAULT 0 NOT NULL,
    total_us BIGINT DEFAULT 0 NOT NULL,
    overhead_us BIGINT DEFAULT 0 NOT NULL,
    outcome TEXT DEFAULT '' NOT NULL,
    streamed BOOLEAN NOT NULL,
    estimated BOOLEAN NOT NULL,
    final BOOLEAN NOT NULL,
    client_request_id TEXT DEFAULT '' NOT NULL,
    peer TEXT DEFAULT '' NOT NULL,
    output_cap BIGINT DEFAULT 0 NOT NULL,
    held_n BIGINT DEFAULT 0 NOT NULL,
    amounts TEXT NOT NULL,
    flag TEXT DEFAULT '' NOT NULL,
    boot_id TEXT NOT NULL,
    PRIMARY KEY (day, hold_id)
);
CREATE TABLE usage_hour (
    hour INTEGER NOT NULL,
    group_id BIGINT NOT NULL,
    calls BIGINT DEFAULT 0 NOT NULL,
    input BIGINT DEFAULT 0 NOT NULL,
    cached BIGINT DEFAULT 0 NOT NULL,
    cache_write BIGINT DEFAULT 0 NOT NULL,
    output BIGINT DEFAULT 0 NOT NULL,
    reasoning BIGINT DEFAULT 0 NOT NULL,
    cost_n BIGINT DEFAULT 0 NOT NULL,
    estimated_n BIGINT DEFAULT 0 NOT NULL,
    unbudgeted_n BIGINT DEFAULT 0 NOT NULL,
    charged_n BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (hour, group_id)
)
 WITHOUT ROWID;
CREATE TABLE usage_day (
    day INTEGER NOT NULL,
    group_id BIGINT NOT NULL,
    calls BIGINT DEFAULT 0 NOT NULL,
    input BIGINT DEFAULT 0 NOT NULL,
    cached BIGINT DEFAULT 0 NOT NULL,
    cache_write BIGINT DEFAULT 0 NOT NULL,
    output BIGINT DEFAULT 0 NOT NULL,
    reasoning BIGINT DEFAULT 0 NOT NULL,
    cost_n BIGINT DEFAULT 0 NOT NULL,
    estimated_n BIGINT DEFAULT 0 NOT NULL,
    unbudgeted_n BIGINT DEFAULT 0 NOT NULL,
    charged_n BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (day, group_id)
)
 WITHOUT ROWID;
CREATE TABLE usage_minute (
    minute INTEGER NOT NULL,
    status BIGINT NOT NULL,
    code TEXT NOT NULL,
    calls BIGINT DEFAULT 0 NOT NULL,
    cost_n BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (minute, status, code)
)
 WITHOUT ROWID;
CREATE TABLE usage_charge (
    day INTEGER NOT NULL,
    budget_id TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    charged_n BIGINT DEFAULT 0 NOT NULL,
    first_n BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (day, budget_id, period_start)
)
 WITHOUT ROWID;
CREATE TABLE journal_rejects (
    reject_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    boot_id TEXT NOT NULL,
    seg BIGINT NOT NULL,
    off BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX boot_open ON boot (state) WHERE state <> 'closed';
CREATE INDEX lease_row ON lease (budget_id, period_start);
CREATE INDEX ledger_trouble ON ledger (budget_id, period_start) WHERE state <> 'archived' AND (state <> 'open' OR excess > 0);
CREATE INDEX usage_time ON usage (at_ns, group_id);
CREATE UNIQUE INDEX virtual_key_name ON virtual_key (name);
