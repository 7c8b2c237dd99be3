"""A server that speaks S3, KMS and Secrets Manager as AWS does, for the length of a test."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

_PROGRAM = "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"
_SECONDS = 30


@contextlib.contextmanager
def aws(folder: Path) -> Iterator[str]:
    """Its address; whoever asks needs credentials, and any will do."""
    log = folder / "aws.log"
    with log.open("w") as sink:
        server = subprocess.Popen([sys.executable, "-u", "-c", _PROGRAM], stdout=sink, stderr=sink)
    try:
        yield _address(server, log)
    finally:
        server.terminate()
        server.wait(_SECONDS)


def credentials(folder: Path) -> dict[str, str]:
    """An environment in which the AWS tools find credentials in a file, and look nowhere else."""
    file = folder / "credentials"
    file.write_text("[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n")
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
    }  # fmt: skip


def client(service: str, endpoint: str) -> Any:
    """A client of one service, with credentials of its own."""
    found = boto3.session.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="eu-west-1")
    return found.client(service, endpoint_url=endpoint)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + _SECONDS
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    return found[0]
