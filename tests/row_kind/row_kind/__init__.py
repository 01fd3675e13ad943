"""Schemes of another package, one for each file of rows: see support.judging."""

from __future__ import annotations

from support.judging import judging
from support.rfc9421 import rows

from edgeauth.schemes.message_signatures import MessageSignatureScheme

RowScheme = judging("rfc-rows", MessageSignatureScheme.headers, rows())
