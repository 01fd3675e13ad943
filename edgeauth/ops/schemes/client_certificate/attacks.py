"""What somebody without the certificate may write of it."""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, constant
from edgeauth.schemes.client_certificate import SUCCESS

if TYPE_CHECKING:
    from edgeauth.schemes.client_certificate import ClientCertificateScheme


def attacks(scheme: ClientCertificateScheme, plan: Plan) -> list[Row]:
    """The fields of the proxy, written by a client that has no certificate."""
    written = (
        "what a client writes about its certificate is believed: the proxy must put its own "
        "words in the place of both fields on every request, and nobody else may reach the app"
    )
    any_ = random.token_hex(20)
    right = (scheme.fingerprints[-1] if scheme.fingerprints else any_).encode()
    header, verified = scheme.headers
    both = ((header, right), (verified, SUCCESS))
    alike = tuple((name.replace("-", "_"), value) for name, value in both)
    forged = constant((header, any_.encode()), (verified, SUCCESS))
    return [
        bad(
            plan,
            "certificate-written",
            "the fingerprint, no certificate",
            written,
            constant(*both),
        ),
        bad(plan, "certificate-other", "another fingerprint, no certificate", written, forged),
        bad(plan, "certificate-twice", "each field twice", written, constant(*both, *both)),
        bad(plan, "certificate-alike", "the fields with underscores", written, constant(*alike)),
        bad(plan, "certificate-half", "the fingerprint alone", written, constant(both[0])),
    ]


def genuine(_scheme: ClientCertificateScheme, _plan: Plan) -> list[Row]:
    """A probe has no certificate of the edge."""
    why = "only who has the private key of the certificate can: curl --cert FILE --key FILE"
    return [Row("signed", "a request with the certificate", "answered", None, why)]
