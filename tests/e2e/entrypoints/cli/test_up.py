"""The first minute: `clavero up --demo`, and what it says where it cannot."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.running import CLAVERO, Running, clean_environ


@pytest.mark.requirement(22)
def test_the_printed_call_answers(clavero: Running) -> None:
    printed = clavero.data.with_name("data.log").read_text()
    assert clavero.gateway in printed
    assert "clvk_" not in printed, "no key on the screen"
    header = (clavero.data / "demo" / "header").read_text().strip()
    name, _, value = header.partition(": ")
    answer = clavero.post(
        "/v1/chat/completions",
        {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]},
        **{name: value},
    )
    assert answer.status == 200, answer.body
    assert answer.json["choices"][0]["message"]["content"]
    assert answer.json["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda data: (data.mkdir(), (data / "lock").mkdir()), "cannot write"),
        (lambda data: data.write_text(""), "cannot write"),
    ],
)
def test_a_directory_that_cannot_be_used_is_one_line_and_a_remedy(
    tmp_path: Path, prepare: Callable[[Path], object], says: str
) -> None:
    prepare(tmp_path / "data")
    done = subprocess.run(
        [*CLAVERO, "up", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", "--admin-port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clean_environ(tmp_path),
    )
    assert done.returncode == 7
    assert says in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr
