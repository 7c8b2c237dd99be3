import re

from tests.flow.entrypoints.http.admin.office import Office

LARGEST = 1_500_000


async def test_the_page_needs_nothing_from_elsewhere(office: Office) -> None:
    page = await office.stranger.get("/api/docs")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    wanted = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page.text)
    assert len(wanted) > 3
    size = 0
    for address in wanted:
        if address.startswith("data:"):
            continue
        assert address.startswith("/api/"), address
        part = await office.stranger.get(address)
        assert part.status_code == 200
        size += len(part.content)
    assert size < LARGEST
    assert "<script>" not in page.text
    assert not re.search(r"\sstyle=", page.text)


async def test_the_licence_of_the_viewer_comes_with_it(office: Office) -> None:
    licence = (await office.stranger.get("/api/docs/LICENSE.txt")).text
    version = re.search(r"RapiDoc ([0-9.]+)", (await office.stranger.get("/api/docs/viewer.js")).text[:200])
    assert version is not None
    assert f"RapiDoc {version[1]}" in licence
    assert "MIT License" in licence


async def test_no_other_file_is_given(office: Office) -> None:
    for name in ("docs.html", "../docs.py", "..%2fdocs.py", "%2e%2e", "app.py"):
        assert (await office.stranger.get(f"/api/docs/{name}")).status_code == 404
