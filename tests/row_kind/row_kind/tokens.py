"""The same of rows that hold tokens."""

from __future__ import annotations

from support.judging import judging
from support.signed_token import rows

TokenRowScheme = judging("token-rows", ("X-Nf-Sign", "Cf-Access-Jwt-Assertion"), rows())
