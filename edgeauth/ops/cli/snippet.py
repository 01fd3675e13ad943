"""``edgeauth snippet``: the other half of the gate, for the settings of this half.

The files are those of ``integrations/``, which the tests run as they are. Each declares in a
comment which of its names may be changed, and what they are in the file::

    edgeauth:parameter header = Edge-Auth

Printing puts another name in the place of each whole word that is the declared one. A header
is found in its three spellings: ``Edge-Auth``, ``edge-auth`` and nginx's ``http_edge_auth``. What
is declared with its quotes is printed in quotes. A list that cannot be another one is declared as
``fixed`` in the place of ``parameter``: settings that ask for more are refused.

Where a proxy has several fields to know, a line with the declared header becomes one line a
field. What is declared so is in the lines that hand a field on to the service, which needs more
than the credential where a scheme looks at other fields::

    edgeauth:question = $http_edge_auth

Where a scheme looks at all fields that begin alike, what follows here takes the place of this line,
once for each beginning in the place of NAME. Without NAME it takes that of the next line as well,
and of what is indented below that::

    edgeauth:beginning = - prefix: NAME
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import configured
from edgeauth.schemes.registry import kinds
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable


# The proxies ask the service, whatever the scheme is.
_PROXIES = {
    "nginx": "nginx/nginx.conf",
    "caddy": "caddy/Caddyfile",
    "envoy": "envoy/envoy.yaml",
    "haproxy": "haproxy/haproxy.cfg",
    "haproxy-lua": "haproxy/edgeauth.lua",
    "traefik": "traefik/dynamic.yaml",
}


def files_of(kind: str) -> dict[str, str | Traversable]:
    """The files below ``integrations/`` for the scheme *kind*, by the name of what runs them."""
    return {**tools_of(kind).snippets, **_PROXIES}


# In the order of the kinds, each once.
NAMES = list(dict.fromkeys(name for kind in kinds() for name in files_of(kind)))

_DECLARATION = re.compile(r"^.*edgeauth:parameter ([a-z]+) = (\S.*)$", re.MULTILINE)
_FIXED = re.compile(r"^.*edgeauth:fixed ([a-z]+) = (\S.*)$", re.MULTILINE)
_BEGINNING = re.compile(r"edgeauth:beginning = (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^.*edgeauth:question = (.+)$", re.MULTILINE)

# Written by the proxy itself, or of the question and not of the request: never handed on.
_OF_THE_PROXY = frozenset(
    {
        *("host", "x-forwarded-for", "connection", "upgrade", "te", "keep-alive"),
        *("content-length", "transfer-encoding"),
    }
)

# Names that need no quoting in any of the languages: what is printed is run elsewhere.
_PLAIN = {
    "header": re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}"),
    "dictionary": re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}"),
    "socket": re.compile(r"/[A-Za-z0-9._/-]{1,100}"),
    "tag": re.compile(r'"[A-Za-z0-9._-]{1,128}"'),
    "scheme": re.compile(r'"https?"'),
    "components": re.compile(r'"[@a-z0-9-]{1,64}"(, "[@a-z0-9-]{1,64}"){0,63}'),
}
# What another parameter may be that a kind has.
_OF_A_KIND = re.compile(r'[A-Za-z0-9"_.=, \[\]-]{1,512}')
_WRITE = {
    "header": "letters, digits and dashes",
    "dictionary": "letters, digits and underscores",
    "socket": "an absolute path of letters, digits, dots, dashes and underscores",
    "tag": "letters, digits, dots, dashes and underscores",
    "scheme": "https or http",
    "components": "names of fields and @names, without parameters",
}


@click.command("snippet")
@click.argument("name", type=click.Choice(NAMES))
@config_option
@click.option("--header", metavar="NAME", help="The header field. Default: the setting header.")
@click.option("--dictionary", metavar="NAME", help="The edge's dictionary, or secret store.")
@click.option("--socket", metavar="PATH", help="The socket of edgeauth serve.")
def command(
    *, name: str, config: str | None, header: str | None, dictionary: str | None, socket: str | None
) -> None:
    """Print the configuration of an edge or a proxy that fits the settings.

    The file that is printed is tested against the real program. Nothing secret is in it.
    """
    settings = Settings.load(config)
    # A snippet holds no secret, so whoever prints one need not have it.
    schemes = configured(settings, without_secret=True)
    found = [(one, files_of(one.kind)[name]) for one in schemes if name in files_of(one.kind)]
    if not found:
        having = " or ".join(kind for kind in kinds() if name in files_of(kind))
        raise ConfigurationError(
            f"there is no {name} for the scheme {schemes[0].kind}: set scheme to {having}"
        )
    scheme, file = found[0]
    text = integration(file)
    if name in _PROXIES and header is None:
        text = with_fields(text, schemes, str(file))
    declared = dict(_DECLARATION.findall(text))
    known = tools_of(scheme.kind).parameters(scheme)
    _demand_no_more(text, known, str(file))
    wanted = {
        **{name: known.get(name) for name in declared},
        "header": _only_field(scheme, declared) if header is None else header,
        "dictionary": dictionary,
        "socket": socket,
    }
    names = {parameter: value for parameter, value in wanted.items() if value is not None}
    click.echo(renamed(text, names, str(file)), nl=False)


def _demand_no_more(text: str, known: Mapping[str, str], file: str) -> None:
    """Refuse *text* where a list in it is fixed, and *known* has more than that."""
    for name, fixed in _FIXED.findall(text):
        more = set(known.get(name, "").split(", ")) - {"", *fixed.split(", ")}
        if more:
            raise ConfigurationError(
                f"integrations/{file} cannot do with {name} {', '.join(sorted(more))}: it has "
                f"{fixed} and no more"
            )


def _only_field(scheme: Any, declared: Collection[str]) -> str | None:  # noqa: ANN401 - of any kind
    """The field of *scheme*, where it has one and the file has one to be named after it."""
    return scheme.headers[0] if "header" in declared and len(scheme.headers) == 1 else None


def with_fields(text: str, schemes: Iterable[Any], file: str) -> str:
    """*text* with a line for each field of several, in the place of the one with the header.

    Where one field is all that *schemes* look at, nothing changes.

    Raises:
        ConfigurationError: a name would need quoting.
    """
    schemes = [*schemes]
    fields = _once(name for scheme in schemes for name in scheme.headers)
    looked_at = _once(name for scheme in schemes for name in getattr(scheme, "looks_at", ()))
    others = [
        name
        for name in looked_at
        if name.lower() not in _OF_THE_PROXY | {field.lower() for field in fields}
    ]
    header = dict(_DECLARATION.findall(text)).get("header")
    if header is None or (len(fields) == 1 and not others):
        return text
    question = _QUESTION.search(text)
    begins = _once(name for one in schemes for name in getattr(one, "looks_at_beginning", ()))
    if begins and question is not None:
        text = _with_beginnings(text, begins, file)
    lines = []
    for line in text.splitlines(keepends=True):
        declared = _DECLARATION.search(line)
        if _QUESTION.search(line) or (declared and declared[1] == "header"):
            continue  # true no more
        if declared or _renamed_line(line, header, header) is None:
            lines.append(line)
            continue
        asks = question is not None and question[1] in line
        for name in [*fields, *others] if asks else fields:
            if not _PLAIN["header"].fullmatch(name):
                raise ConfigurationError(
                    f"integrations/{file}: the field {name!r} has to be written by hand; only "
                    f"{_WRITE['header']} need no quotes"
                )
            lines.append(_renamed_line(line, header, name) or line)
    return "".join(lines)


def _with_beginnings(text: str, begins: list[str], file: str) -> str:
    """*text* where all fields that begin with one of *begins* are handed on.

    Raises:
        ConfigurationError: it does not say how.
    """
    found: list[str] = []
    told, below = False, None
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if below is not None:
            if below < 0:
                below = indent
                continue
            if indent > below and line.strip():
                continue
            below = None
        match = _BEGINNING.search(line)
        if match is None:
            found.append(line)
            continue
        told = True
        lines = dict.fromkeys(match[1].replace("NAME", name) for name in begins)
        found += [f"{' ' * indent}{one}\n" for one in lines]
        if "NAME" not in match[1]:
            below = -1
    if not told:
        raise ConfigurationError(
            f"integrations/{file} cannot hand on all fields that begin with {', '.join(begins)}, "
            "which are signed"
        )
    return "".join(found)


def _renamed_line(line: str, old: str, new: str) -> str | None:
    """*line* with the header *new* in the place of *old*; None where it is not in it."""
    spellings = dict(_spellings("header", old, new))
    pattern = re.compile("|".join(_whole(one).pattern for one in spellings))
    return pattern.sub(lambda match: spellings[match[0]], line) if pattern.search(line) else None


def _once(names: Iterable[str]) -> list[str]:
    """*names* without those that differ from an earlier one in case alone."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return list(found.values())


def integration(file: str | Traversable) -> str:
    """The text of *file*; a path is one below ``integrations/``, of the wheel or a source tree.

    Raises:
        ConfigurationError: this installation does not have it.
    """
    if not isinstance(file, str):
        return file.read_text("utf-8")
    for folder in _folders():
        found = folder.joinpath(file)
        if found.is_file():
            return found.read_text("utf-8")
    raise ConfigurationError(
        f"integrations/{file} is not in this installation: install edgeauth from its wheel"
    )


def renamed(text: str, names: Mapping[str, str], file: str) -> str:
    """*text* with the parameters that it declares set to *names*.

    Raises:
        ConfigurationError: *text* declares no such parameter, declares a name that it does
            not use, or a name would need quoting.
    """
    declared = dict(_DECLARATION.findall(text))
    replacements: dict[str, str] = {}
    for parameter, name in names.items():
        if parameter not in declared:
            raise ConfigurationError(f"integrations/{file} has no {parameter} to set")
        if not _PLAIN.get(parameter, _OF_A_KIND).fullmatch(name):
            how = _WRITE.get(parameter, "letters, digits, dots, dashes and underscores")
            raise ConfigurationError(f"{parameter} {name!r}: write {how}")
        spellings = dict(_spellings(parameter, declared[parameter], name))
        if not any(_whole(old).search(_DECLARATION.sub("", text)) for old in spellings):
            raise ConfigurationError(
                f"integrations/{file} declares the {parameter} {declared[parameter]!r} "
                "and does not use it"
            )
        replacements.update(spellings)
    if not replacements:
        return text
    # All at once, so that a new name is never taken for another parameter's old one.
    pattern = re.compile("|".join(_whole(old).pattern for old in replacements))
    return pattern.sub(lambda match: replacements[match[0]], text)


def _spellings(parameter: str, old: str, new: str) -> Iterator[tuple[str, str]]:
    yield old, new
    if parameter == "header":
        yield old.lower(), new.lower()
        yield (
            "http_" + old.lower().replace("-", "_"),
            "http_" + new.lower().replace("-", "_"),
        )


def _whole(word: str) -> re.Pattern[str]:
    # A dash before it may be an operator: Caddy removes a header with "-Edge-Auth".
    return re.compile(rf"(?<!\w)(?<!\w-){re.escape(word)}(?![\w-])")


def _folders() -> Iterator[Traversable]:
    yield files("edgeauth").joinpath("_integrations")
    # An editable install: the source tree is where the package is.
    yield Path(__file__).parents[3] / "integrations"
