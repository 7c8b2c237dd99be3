"""An S3-shaped store that keeps checkpoints: one object for each, written once and never over.

Give the bucket a default retention (object lock in compliance mode), and not even its owner can take one away. Whoever
may only put and list cannot change what is there: `s3:PutObject`, `s3:GetObject` and `s3:ListBucket` are all it needs.
Credentials come as the AWS tools find them: a profile, a file, a role of the machine; never from clavero's settings.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from clavero.adapters.witness.file import BadWitness
from clavero.domain.checkpoints import Checkpoint

_DECODER = msgspec.json.Decoder(Checkpoint)
_AT_ONCE: Final = 8  # objects that are read together
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class BucketWitness:
    """Keeps checkpoints below `s3://BUCKET/PREFIX`; `endpoint` is where the store is, "" for AWS's own."""

    def __init__(self, place: str, endpoint: str = "") -> None:
        parts = urlsplit(place)
        self.name = place
        self._bucket = parts.netloc
        self._prefix = f"{parts.path.strip('/')}/".lstrip("/")
        self._endpoint = endpoint
        self._made: Any = None  # boto3's clients have no type of their own

    def keep(self, checkpoint: Checkpoint) -> None:
        """Put one; `OSError` where it cannot be kept, or where something else has its place."""
        body, name = msgspec.json.encode(checkpoint), self._key(checkpoint)
        try:
            self._store.put_object(
                Bucket=self._bucket, Key=name, Body=body, ContentType="application/json", IfNoneMatch="*"
            )
        except self._failures as error:
            if _code(error) not in _TAKEN:
                raise OSError(str(error)) from None
            if self._read(name) != checkpoint:
                raise OSError(f"{name} is there and says something else") from None

    def all(self) -> Iterator[Checkpoint]:
        """Every one, oldest first: a list of a thousand names a call, and a call for each object."""
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            yield from readers.map(self._read, list(self._keys()))

    def newest(self) -> Checkpoint | None:
        """The last one: objects are listed in the order in which they were written."""
        last = deque(self._keys(), maxlen=1)
        return self._read(last[0]) if last else None

    def _key(self, one: Checkpoint) -> str:
        return f"{self._prefix}{one.epoch:06}-{one.seq:015}.json"

    def _keys(self) -> Iterator[str]:
        try:
            for page in self._store.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
                yield from (str(found["Key"]) for found in page.get("Contents", ()))
        except self._failures as error:
            raise OSError(str(error)) from None

    def _read(self, name: str) -> Checkpoint:
        try:
            body = self._store.get_object(Bucket=self._bucket, Key=name)["Body"].read()
        except self._failures as error:
            raise OSError(str(error)) from None
        try:
            return _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            raise BadWitness(f"{self.name}, {name}: {error}") from None

    @property
    def _store(self) -> Any:
        if self._made is None:
            try:
                import boto3
            except ModuleNotFoundError:
                raise OSError("boto3 is missing: pip install 'clavero[aws]'") from None
            from botocore.config import Config

            calm = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
            self._made = boto3.session.Session().client("s3", endpoint_url=self._endpoint or None, config=calm)
        return self._made

    @property
    def _failures(self) -> tuple[type[Exception], ...]:
        from botocore.exceptions import BotoCoreError, ClientError

        return (BotoCoreError, ClientError)


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
