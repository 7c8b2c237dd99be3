"""A witness in an S3-shaped store, with a server that speaks S3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.aws import aws, credentials
from tests.contract.aws import client as connected

from clavero.adapters.witness.bucket import BucketWitness
from clavero.adapters.witness.file import BadWitness
from clavero.domain.checkpoints import Checkpoint


def checkpoint(seq: int, epoch: int = 1) -> Checkpoint:
    return Checkpoint(seq=seq, at_ns=seq, instance="i", epoch=epoch, hashes=("a" * 64,))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with aws(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture
def store(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in credentials(tmp_path).items():
        monkeypatch.setenv(name, value)
    client = connected("s3", endpoint)
    client.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    for found in client.list_objects_v2(Bucket="trail").get("Contents", ()):
        client.delete_object(Bucket="trail", Key=found["Key"])
    client.delete_bucket(Bucket="trail")
    client.close()


@pytest.mark.parametrize("place", ["s3://trail", "s3://trail/of/one house/"])
def test_what_is_kept_is_read_again_in_order(place: str, store: Any, endpoint: str) -> None:
    witness = BucketWitness(place, endpoint)
    assert witness.newest() is None
    assert list(witness.all()) == []
    kept = [checkpoint(9), checkpoint(10), checkpoint(1000), checkpoint(3, epoch=2)]
    for one in kept:
        witness.keep(one)
    other = BucketWitness(place, endpoint)
    assert list(other.all()) == kept
    assert other.newest() == kept[-1]


def test_two_houses_in_one_bucket_do_not_see_each_other(store: Any, endpoint: str) -> None:
    BucketWitness("s3://trail/a", endpoint).keep(checkpoint(1))
    assert BucketWitness("s3://trail/b", endpoint).newest() is None
    assert BucketWitness("s3://trail/a", endpoint).newest() == checkpoint(1)


def test_what_is_there_is_never_written_over(store: Any, endpoint: str) -> None:
    witness = BucketWitness("s3://trail", endpoint)
    witness.keep(checkpoint(1))
    witness.keep(checkpoint(1))  # as after an answer that was lost
    with pytest.raises(OSError, match="says something else"):
        witness.keep(Checkpoint(seq=1, at_ns=99, instance="i", hashes=("b" * 64,)))
    assert list(witness.all()) == [checkpoint(1)]


def test_an_object_that_is_no_checkpoint_is_named(store: Any, endpoint: str) -> None:
    store.put_object(Bucket="trail", Key="000001-000000000000001.json", Body=b"something")
    with pytest.raises(BadWitness, match=r"000001-000000000000001\.json"):
        BucketWitness("s3://trail", endpoint).newest()


def test_a_store_that_is_not_there_or_says_no_is_an_error_of_its_own(store: Any, endpoint: str) -> None:
    with pytest.raises(OSError, match="NoSuchBucket"):
        BucketWitness("s3://nobodys", endpoint).keep(checkpoint(1))
    with pytest.raises(OSError, match="Could not connect"):
        BucketWitness("s3://trail", "http://127.0.0.1:9").newest()


def test_without_credentials_it_says_so(store: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(OSError, match="credentials"):
        BucketWitness("s3://trail", endpoint).keep(checkpoint(1))
