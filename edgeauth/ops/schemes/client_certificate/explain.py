"""Says why what a proxy tells of a certificate is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import ClaimRefused, VerificationError
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.part import shortened
from edgeauth.schemes.client_certificate import NONE, SUCCESS

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.client_certificate import ClientCertificateScheme

_DN = b"CN="


def explain(scheme: ClientCertificateScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Both fields, the Host where it counts, and what is wrong with them."""
    header, verified = scheme.headers
    said, told = (b", ".join(lines.header(name)) for name in (verified, header))
    outcome: VerificationError | None = None
    try:
        scheme.verify(lines, now=now)
    except VerificationError as error:
        outcome = error
    good = said == SUCCESS
    known = told.lower().decode("latin-1") in scheme.fingerprints or not scheme.fingerprints
    fields = [
        Field("verified", shortened(said), ok=good, note="by the proxy" if good else "not SUCCESS"),
        Field("fingerprint", shortened(told), ok=bool(told) and known, note=_note(scheme, told)),
    ]
    if scheme.hosts:
        host = lines.host or b""
        right = not isinstance(outcome, ClaimRefused) or not known
        fields.append(Field("host", shortened(host), ok=right, note=", ".join(scheme.hosts)))
    finding = _where() if outcome is None else _why(scheme, said, told, outcome)
    return Diagnosis(tuple(fields), (finding,))


def _note(scheme: ClientCertificateScheme, told: bytes) -> str:
    if not scheme.fingerprints:
        return "any certificate of the proxy's CA"
    return "one of fingerprints" if told.lower().decode("latin-1") in scheme.fingerprints else "-"


def _where() -> Finding:
    text = (
        "It counts only on a connection from one of trusted_proxies, which is not looked at here: "
        "anybody can write these fields."
    )
    return Finding("from-a-proxy-alone", text)


def _why(
    scheme: ClientCertificateScheme, said: bytes, told: bytes, error: VerificationError
) -> Finding:
    header, verified = scheme.headers
    if said == SUCCESS:
        return _of_fingerprint(header, told, error)
    if not said:
        text = (
            f"No {verified}: the proxy does not write it. In nginx: proxy_set_header {verified} "
            "$ssl_client_verify;"
        )
        return Finding("verified-missing", text)
    if said == NONE:
        text = (
            "The client sent no certificate. At the CDN, turn on its client certificate for the "
            "origin; at the proxy, ask for one (nginx: ssl_verify_client)."
        )
        return Finding("no-certificate", text)
    return Finding("not-verified", _not_verified(verified, said))


def _of_fingerprint(header: str, told: bytes, error: VerificationError) -> Finding:
    if not told:
        text = (
            f"No {header}: the proxy does not write it. In nginx: proxy_set_header {header} "
            "$ssl_client_fingerprint;"
        )
        return Finding("fingerprint-missing", text)
    if error.hint is not None:
        return Finding(error.reason, f"{error.hint[0].upper()}{error.hint[1:]}.")
    if _DN in told:
        text = f"{header} holds the name in the certificate. Let the proxy write its fingerprint."
    elif b":" in told:
        text = f"{header} has colons. Let the proxy write the fingerprint in bare hex."
    else:
        text = f"{header} must be 40 (SHA-1) or 64 (SHA-256) characters of hex, once."
    return Finding("fingerprint-form", text)


def _not_verified(verified: str, said: bytes) -> str:
    if b"," in said:
        return (
            f"{verified} is there twice: the client sent one, and the proxy added its own. The "
            "proxy must put its own in the place of the client's."
        )
    if said.lower() in {b"0", b"success", b"1", b"true", b"ok"}:
        return (
            f"{verified} must be the word SUCCESS, and is {said.decode()!r}. In HAProxy: "
            f"http-request set-header {verified} SUCCESS if {{ ssl_c_used }} {{ ssl_c_verify 0 }}, "
            f"and http-request del-header {verified} before it."
        )
    return (
        "The proxy could not verify the certificate: is it of the CA that the proxy is given "
        "(nginx: ssl_client_certificate), and in its time? The rest of the field says why."
    )
