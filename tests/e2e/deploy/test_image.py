"""The image, built from the Containerfile as it is shipped and run as compose would: read-only, without a privilege.

No registry is asked: the base is made of Debian's packages. It needs root, and `apt-get install buildah mmdebstrap`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
# How this machine's own clients reach their registries; the steps of the build do it in the same way.
CLIENTS = ("/etc/apt", "/etc/pip.conf", "/etc/ssl/certs", "/usr/local/share/ca-certificates")

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]


def run(*words: str, seconds: int = 900, **variables: str) -> str:
    print("$", *words[:6], flush=True)
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=seconds, check=False,
        env={**os.environ, **variables},  # noqa: TID251 - what this machine's clients are told
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout.strip()


class Storage:
    """Images and containers of one test, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._words = (
            "buildah",
            "--storage-driver",
            "vfs",
            "--root",
            str(folder / "root"),
            "--runroot",
            str(folder / "run"),
        )

    def do(self, *words: str) -> str:
        return run(*self._words, *words, BUILDAH_ISOLATION="chroot")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file system of a container of the image."""
    missing = [name for name in ("buildah", "mmdebstrap", "unshare") if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root, and apt-get install {' '.join(missing) or 'buildah mmdebstrap'}")
    folder = tmp_path_factory.mktemp("image")
    storage, base = Storage(folder), folder / "base.tar"
    sources = [
        str(one)
        for one in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.sources"))
        if one.exists()
    ]
    run("mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(base), *sources)
    empty = storage.do("from", "scratch")
    storage.do("add", "--quiet", empty, str(base), "/")
    storage.do("commit", "--quiet", empty, "localhost/base")
    mounts = [word for place in CLIENTS if Path(place).exists() for word in ("--volume", f"{place}:{place}:ro")]
    storage.do(
        "build", "--isolation", "chroot", "--network", "host", *mounts, "--build-arg", "BASE=localhost/base",
        "--format", "docker", "--file", str(CONTAINERFILE), "--tag", "localhost/clavero", str(ROOT),
    )  # fmt: skip
    made = storage.do("from", "localhost/clavero")
    yield Path(storage.do("mount", made))
    storage.do("umount", made)
    storage.do("rm", "--all")
    shutil.rmtree(folder)  # each layer is a whole copy


def test_the_image_holds_nothing_to_build_with(image: Path) -> None:
    for tool in ("gcc", "cc", "make", "pip", "pip3", "git", "curl"):
        assert not (image / "usr" / "bin" / tool).exists(), tool
    assert not list((image / "opt" / "clavero").rglob("*.pth"))
    assert (image / "var" / "lib" / "clavero").stat().st_uid == 10001


def test_it_serves_on_a_read_only_system_as_nobody_and_says_so_itself(image: Path) -> None:
    said = run(
        "unshare", "--fork", "--pid", "--mount", "--net", "--mount-proc", "bash", str(HERE / "image.sh"), str(image)
    )
    for wanted in ("/health/ready  200", "equals the ledger", "0 failed", "Draining", "ended 0", "read-only"):
        assert wanted in said, said
