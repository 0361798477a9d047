"""The documentation builds as a site without a warning, and takes nothing from a network."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("material", reason="needs the extra docs: pip install 'sdq[docs]'")
ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page loads, what it links to, and where it can be linked to."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.anchors |= {found[k] for k in ("id", "name") if k in found}
        if tag == "a":
            self.links.append(found.get("href", ""))
        elif tag == "link" and found.get("rel") in ("canonical", "next", "prev"):
            self.links.append(found["href"])
        else:
            self.loads += [found[k] for k in ("src", "href", "data", "poster") if k in found]
            self.loads += [part.split()[0] for part in found.get("srcset", "").split(",") if part]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    # A proxy that is not there: a plugin that fetched anything would fail.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def test_every_page_is_built_and_in_the_navigation(site, pages):
    sources = {p.relative_to(ROOT / "docs") for p in (ROOT / "docs").glob("*.md")}
    built = {p.with_suffix(".html").as_posix() for p in sources}
    assert built <= set(pages)
    linked = {urlsplit(link).path for link in pages["index.html"].links}
    assert built - linked == {"index.html"} - linked
    assert "example_plugin/README.html" in pages or "example_plugin/index.html" in pages


def test_no_page_loads_anything_from_elsewhere(pages):
    for name, page in pages.items():
        outside = [
            u for u in page.loads if urlsplit(u).scheme in ("http", "https") or u.startswith("//")
        ]
        assert not outside, f"{name} loads {outside}"


def test_no_style_loads_anything_from_elsewhere(site):
    styles = list(site.rglob("*.css"))
    assert styles
    for path in styles:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import\s+)['\"]?(?:https?:)?//", text), path.name


def test_links_and_anchors_inside_the_site_hold(site, pages):
    for name, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment) or name == "404.html":
                continue
            here = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = here.resolve()
            assert target.exists(), f"{name}: {link}"
            found = pages.get(target.relative_to(site.resolve()).as_posix())
            if parts.fragment and found is not None:
                assert unquote(parts.fragment) in found.anchors, f"{name}: {link}"


def test_tables_and_code_are_no_plain_text(pages):
    """What Markdown did not understand would stand on a page as it was typed."""
    for name, page in pages.items():
        text = "".join(page.words)
        assert not re.search(r"^\| --- ", text, re.MULTILINE), name
        assert "```" not in text, name
