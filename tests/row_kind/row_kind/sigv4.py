"""As the kind beside it, for the rows of AWS SigV4."""

from __future__ import annotations

from support.judging import judging
from support.sigv4 import rows

from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

SigV4RowScheme = judging("sigv4-rows", AwsSigV4Scheme.headers, rows())
