"""The process of the simulated provider."""

import json

from tests.e2e.running import Running, fetch


def test_it_is_plainly_labelled_and_known_to_the_gateway_alone(clavero: Running) -> None:
    answer = clavero.chat()
    assert answer.json["system_fingerprint"] == "simulated"
    assert "invented" in answer.json["choices"][0]["message"]["content"]
    port = (clavero.data / "run" / "simulator.port").read_text()
    direct = fetch(f"http://127.0.0.1:{port}/v1/models", "GET", {}, None)
    assert direct.headers["x-simulated"] == "true"
    assert json.loads(direct.body)["data"]
