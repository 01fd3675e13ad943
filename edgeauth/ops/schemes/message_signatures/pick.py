"""Which signature of a message counts, and why none does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import MalformedHeader, MissingHeader
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.text import escaped
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.arguments import quoted
from edgeauth.schemes.message_signatures.form import INPUT, SIGNATURE, Selected, selected
from edgeauth.schemes.message_signatures.grammar import InnerList

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.message_signatures import MessageSignatureScheme


def pick(scheme: MessageSignatureScheme, lines: RequestLines) -> Selected | Finding:
    """The signature that *scheme* looks at, or why there is none."""
    inputs, signatures = lines.header(INPUT), lines.header(SIGNATURE)
    tag = None if scheme.tag is None else quoted(scheme.tag)
    try:
        return selected(inputs, signatures, tag)
    except MissingHeader as error:
        return _none(scheme, lines, error)
    except MalformedHeader as error:
        ours = [label for label, its in _tags(lines) if tag is None or its == tag]
        if len(ours) > 1:
            return _several(scheme, ours)
        return _malformed(lines, error)


def _none(scheme: MessageSignatureScheme, lines: RequestLines, error: MissingHeader) -> Finding:
    tags = _tags(lines)
    if not lines.header(INPUT) or not lines.header(SIGNATURE):
        return Finding(
            "missing",
            f"There is {error.message}: the edge does not sign, or something on the way removes "
            "the field.",
        )
    there = ", ".join(
        f"{escaped(label)}: {escaped(tag) if tag else 'no tag'}" for label, tag in tags
    )
    return Finding(
        "wrong-tag",
        f'The settings here want tag="{scheme.tag}", and the signatures have ({there}): set tag '
        "here to what the edge sends, or the other way round.",
    )


def _several(scheme: MessageSignatureScheme, ours: list[bytes]) -> Finding:
    labels = ", ".join(escaped(label) for label in ours)
    if scheme.tag is None:
        return Finding(
            "several",
            f"There are {len(ours)} signatures ({labels}), and no tag is set that says which one "
            "counts: let the edge sign with a tag, and set tag here.",
        )
    return Finding(
        "several",
        f'{len(ours)} signatures have tag="{scheme.tag}" ({labels}): a client sent one beside '
        "the edge's. The edge must remove what clients send with its tag.",
    )


def _malformed(lines: RequestLines, error: MalformedHeader) -> Finding:
    told = f"{error.message[0].upper()}{error.message[1:]}. "
    if any(b"-" in value or b"_" in value for value in lines.header(SIGNATURE)):
        told += "Is the signature in the base64 of URLs? It must have + and /, and its padding. "
    return Finding(
        "malformed",
        f"{told}{error.hint[0].upper()}{error.hint[1:]}" if error.hint else told.strip(),
    )


def _tags(lines: RequestLines) -> list[tuple[bytes, bytes | None]]:
    """The label of each signature, and its tag in quotes."""
    inputs = lines.header(INPUT)
    try:
        found = grammar.dictionary(grammar.field_value(inputs), INPUT) if inputs else {}
    except MalformedHeader:
        return []
    return [
        (label, tag.text if (tag := member.parameters.get(b"tag")) else None)
        for label, member in found.items()
        if isinstance(member, InnerList)
    ]
