"""Every link of the built pages leads somewhere, and no page needs a network."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself.
FETCHED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}


class Page(HTMLParser):
    """What a page links to, what it has fetched, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found["id"]} if "id" in found else set()
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])


@cache
def page(path):
    return Page(path.read_text("utf-8"))


def pages(site):
    return sorted(site.rglob("*.html"))


def leads_nowhere(path, link):
    parts = urlsplit(link)
    if parts.scheme:
        return False
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return True
    fragment = unquote(parts.fragment)
    return bool(fragment) and target.suffix == ".html" and fragment not in page(target).anchors


def test_every_link_leads_to_a_page_and_an_anchor_that_are_there(site):
    dead = {
        f"{path.relative_to(site)}: {link}"
        for path in pages(site)
        for link in page(path).links
        if link != "#" and leads_nowhere(path, link)
    }
    assert dead == set()


def test_what_a_page_fetches_is_in_the_site(site):
    away = {
        f"{path.relative_to(site)}: {url}"
        for path in pages(site)
        for url in page(path).fetched
        if urlsplit(url).scheme != "data" and (urlsplit(url).netloc or leads_nowhere(path, url))
    }
    assert away == set()
    assert not [
        style.name
        for style in site.rglob("*.css")
        if "url(http" in style.read_text("utf-8") or "@import" in style.read_text("utf-8")
    ]


def test_files_of_the_repository_have_one_address(site):
    hosts = {
        urlsplit(link).path.split("/blob/")[0].split("/tree/")[0]
        for path in pages(site)
        for link in page(path).links
        if "/blob/main/" in link or "/tree/main/" in link
    }
    assert len(hosts) == 1


def test_every_column_of_a_table_has_a_name(site):
    """Without it nobody who hears a table knows what a cell is about."""
    nameless = [
        str(path.relative_to(site))
        for path in pages(site)
        if '<th class="head"><p></p></th>' in path.read_text("utf-8")
    ]
    assert nameless == []
