import pytest
from prometheus_client.parser import text_string_to_metric_families

from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange, Tokens
from clavero.entrypoints.http.admin.facts import AdminFacts
from clavero.entrypoints.http.admin.meter import Meter
from clavero.entrypoints.http.admin.metrics import Gauged, exposed
from clavero.entrypoints.http.admin.recent import Recent
from clavero.entrypoints.http.tail import Tail
from clavero.testing.clock import StoppedClock
from clavero.wire.journal import Pulse, Settle

LEDGER = {"posted": 30, "leased": 20, "lost": 5, "excess": 1}


def scraped(meter: Meter, clock: StoppedClock) -> dict[str, float]:
    """Every sample of one scrape by name and labels."""
    facts = AdminFacts(
        version="9.9.9", gateway_url="", console_url="", meter=meter, tail=Tail(clock), recent=Recent(clock)
    )
    boots = [{"boot_id": "b1", "worker": "w1", "heartbeat": clock.wall_ns() - 1_500_000_000, "state": "live"}]
    text = exposed(facts, Gauged(clock.wall_ns(), boots, LEDGER, rejects=2, holds=3, seq=44)).decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


@pytest.mark.requirement(62)
def test_a_scrape_has_exchanges_latency_and_errors() -> None:
    clock = StoppedClock()
    meter = Meter(clock)
    one = Exchange(
        "req_1", 1, endpoint="chat", provider="house", model_served="m", status=200, cost_n=1234,
        tokens=Tokens(10, 0, 0, 5, 0), total_us=300_000, first_token_us=70_000, overhead_us=400,
    )  # fmt: skip
    meter.heard(BootId("b1"), [Settle("h", (), "", one), Pulse(clock.wall_ns(), 40, 7, 1, 2500, 3)])
    found = scraped(meter, clock)
    assert found["clavero_exchanges_total{code=,endpoint=chat,model=m,status=200}"] == 1
    assert found["clavero_cost_nano_usd_total{model=m,provider=house}"] == 1234
    assert found["clavero_tokens_total{endpoint=chat,model=m,provider=house,type=input}"] == 10
    call = "gen_ai_operation_name=chat,gen_ai_provider_name=house,gen_ai_request_model=m"
    assert found[f"gen_ai_client_token_usage_sum{{{call},gen_ai_token_type=output}}"] == 5
    assert found[f"gen_ai_client_operation_duration_seconds_count{{{call}}}"] == 1
    assert found[f"gen_ai_client_operation_duration_seconds_bucket{{{call},le=0.32}}"] == 1
    assert found[f"gen_ai_client_operation_duration_seconds_bucket{{{call},le=0.16}}"] == 0
    assert found[f"gen_ai_server_time_to_first_token_seconds_sum{{{call}}}"] == 0.07
    assert found["clavero_overhead_seconds_bucket{endpoint=chat,le=0.0005}"] == 1
    assert found["clavero_worker_in_flight{worker=w1}"] == 7
    assert found["clavero_worker_applied_seq{worker=w1}"] == 40
    assert found["clavero_worker_loop_lag_seconds{worker=w1}"] == 0.0025
    assert found["clavero_worker_heartbeat_age_seconds{worker=w1}"] == 1.5


def test_the_ledger_and_what_waits_are_gauges() -> None:
    clock = StoppedClock()
    found = scraped(Meter(clock), clock)
    assert {name: found[f"clavero_ledger_{name}_nano_usd{{}}"] for name in LEDGER} == LEDGER
    assert found["clavero_open_holds{}"] == 3
    assert found["clavero_journal_rejects{}"] == 2
    assert found["clavero_change_seq{}"] == 44
    assert found["clavero_build_info{version=9.9.9}"] == 1


def test_a_label_cannot_break_out_of_its_line() -> None:
    clock = StoppedClock()
    meter = Meter(clock)
    odd = Exchange("req_1", 1, endpoint="chat", model_served='a"} 1\\', status=200)
    meter.heard(BootId("b1"), [Settle("h", (), "", odd)])
    found = scraped(meter, clock)
    assert found['clavero_exchanges_total{code=,endpoint=chat,model=a"} 1\\,status=200}'] == 1
