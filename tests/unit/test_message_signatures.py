"""What is accepted as a signature over a request, and why anything else is not."""

from __future__ import annotations

import hmac
import math
from base64 import b64encode
from dataclasses import replace

import pytest
from support.requests import PlainRequest
from support.rfc9421 import published_key, rows
from support.signed_requests import HOST, KEY, NOW, SECRET, by_hand, field, signed, with_field

from edgeauth import (
    BadSignature,
    ConfigurationError,
    EdgeIdentity,
    Expired,
    Guard,
    Key,
    KeyRing,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    NotYetValid,
    VerificationError,
)
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import (
    MessageSignatureScheme,
    PrivateKey,
    Verified,
    sign_request,
)
from edgeauth.schemes.message_signatures import verify as verifying
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.components import components
from edgeauth.schemes.message_signatures.form import Form, selected
from edgeauth.verdict import BodyDigest

OTHER = Key("edge-2", "another-secret-of-another-edge")
ROWS = rows()


def scheme(*keys, **options):
    return MessageSignatureScheme(keys or [KEY], **options)


def reason_of(judge, request, now=NOW):
    return Guard(judge).check(request, now=now).reason


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_published_row_is_decided_as_it_says(row):
    assert row.accepted_by(row.scheme()) == row.accept


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_decided_alike_by_a_scheme_that_has_seen_its_form(row):
    judge = row.scheme()
    first = row.accepted_by(judge)

    assert row.accepted_by(judge) == first == row.accept


# What a row calls its reason, and what it is called here.
_REASONS = {
    None: "ok",
    "too-old": "expired",
    "component-missing": "coverage",
    "tag-mismatch": "missing",
    "alg-mismatch": "bad-signature",
    "replayed": "ok",  # for a replay store to find
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_reason_of_each_row_is_that_of_the_row(row):
    expected = _REASONS.get(row.reason, row.reason)
    assert reason_of(row.scheme(), row.plain(), row.now) == expected


@pytest.mark.parametrize("row", [row for row in ROWS if row.base], ids=lambda row: row.name)
def test_what_is_signed_is_byte_for_byte_what_the_row_says(row):
    lines = [value for name, value in row.fields if name == "Signature-Input"]
    signatures = [value for name, value in row.fields if name == "Signature"]
    found = selected(lines, signatures, None).signed

    made = Base(components(found)).of(row.plain(), found.text(), row.settings["scheme"])
    assert made == row.base


def test_a_signature_says_who_signed_when_and_what_it_vouches_for():
    request = signed(nonce="n-1")

    verified = scheme().verify_signature(request, now=NOW + 1)

    once = (b"edge-1:n-1", NOW + 60, NOW - 5)
    assert verified == Verified(
        # Neither an earlier request nor the body was looked at.
        identity=EdgeIdentity(
            *(NOW, None, "edge-1", "message-signatures"),
            covers=frozenset({"method", "host", "path", "query", "time"}),
            once=once,
        ),
        covers=frozenset({"method", "host", "path", "query", "time", "once"}),
        once=once,
        body=None,
    )
    assert scheme().verify(request, now=NOW + 1) == verified.identity


def test_the_scheme_is_given_to_a_guard_and_its_fields_are_removed():
    guard = Guard(scheme())

    assert guard.check(signed(), now=NOW).reason == "ok"
    assert guard.stripped_headers == ("Signature-Input", "Signature")
    assert scheme().kind == "message-signatures"
    assert scheme(components=["x-note"]).components == ('"x-note"',)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "DELETE"},
        {"method": "get"},
        {"target": b"/a/b%20c?q=1&q=3"},
        {"target": b"/a/b%20d?q=1&q=2"},
        {"target": b"/a/b c?q=1&q=2"},
        {"target": b"/a/b%20c"},
        {"host": b"other.example"},
        {"host": b"shop.example:8443"},
        {"host": b"shop.example:80"},
    ],
    ids=str,
)
@pytest.mark.parametrize("times", [1, 2], ids=["new", "known"])
def test_another_method_path_query_or_host_is_another_request(change, times):
    judge = scheme()
    for _ in range(times - 1):
        judge.verify(signed(), now=NOW)

    with pytest.raises(BadSignature):
        judge.verify(replace(signed(), **change), now=NOW)


@pytest.mark.parametrize("host", [b"SHOP.example", b"shop.example:443", b"shop.example:"])
def test_a_host_that_means_the_same_is_the_same(host):
    scheme().verify(replace(signed(), host=host), now=NOW)


def test_behind_brackets_a_port_is_one():
    scheme().verify(replace(signed(host="[2001:db8::1]"), host=b"[2001:DB8::1]:443"), now=NOW)


@pytest.mark.parametrize("host", ["shop.example:8443", "2001:db8::1"])
def test_behind_another_colon_nothing_is_a_port(host):
    request = replace(signed(host=host), host=f"{host}:443".encode())

    with pytest.raises(BadSignature):
        scheme().verify(request, now=NOW)


def test_the_default_port_is_that_of_the_scheme():
    request = signed(signer={"scheme": "http"}, host="shop.example:80")

    scheme(scheme="http").verify(replace(request, host=b"shop.example"), now=NOW)
    with pytest.raises(BadSignature):
        scheme(scheme="https").verify(request, now=NOW)


class TestTime:
    @pytest.mark.parametrize(
        ("age", "reason"),
        [(-5.01, "future"), (-5, "ok"), (0, "ok"), (60, "ok"), (60.01, "expired")],
    )
    def test_it_is_accepted_within_the_window_both_ends_included(self, age, reason):
        assert reason_of(scheme(), signed(), NOW + age) == reason

    @pytest.mark.parametrize(("late", "reason"), [(5, "ok"), (5.5, "expired")])
    def test_its_own_expires_is_held_to_with_the_clocks_difference(self, late, reason):
        assert reason_of(scheme(), signed(expires=NOW + 10), NOW + 10 + late) == reason

    def test_the_error_of_one_past_its_own_expires_says_so(self):
        with pytest.raises(Expired, match=r"^6 s past its own expires") as caught:
            scheme().verify(signed(expires=NOW + 10), now=NOW + 16)
        assert caught.value.identity.key_id == "edge-1"
        assert str(caught.value.args[0]) == str(caught.value)
        assert (caught.value.age, caught.value.limit) == (6, 5)
        assert caught.value.message == "6 s past its own expires, and max_future admits 5 s"

    @pytest.mark.parametrize("age", [-5, -4, 0, 4, 60])
    def test_one_that_was_signed_past_its_own_expires_is_told_so_at_any_age(self, age):
        with pytest.raises(Expired, match=r"^6 s past its own expires"):
            scheme().verify(signed(expires=NOW + age - 6), now=NOW + age)

    def test_one_that_is_too_old_says_its_age_even_if_it_says_it_is_good_for_ever(self):
        with pytest.raises(Expired, match=r"^age 61 s is past max_age 60 s$"):
            scheme().verify(signed(expires=NOW + 10**6), now=NOW + 61)

    def test_one_from_the_future_says_how_far(self):
        with pytest.raises(NotYetValid, match="signed 6 s in the future") as caught:
            scheme().verify(signed(), now=NOW - 6)
        assert caught.value.identity.key_id == "edge-1"

    def test_one_that_is_old_is_not_from_the_future_whatever_the_clocks_differ(self):
        assert reason_of(scheme(max_age=1, max_future=5), signed(), NOW + 2) == "expired"

    def test_one_at_its_last_moment_is_past_its_own_expires(self):
        with pytest.raises(Expired, match="past its own expires"):
            scheme().verify(signed(expires=NOW + 10), now=NOW + 60)

    def test_the_age_of_one_of_the_year_1970_is_told(self):
        with pytest.raises(Expired) as caught:
            scheme().verify(signed(created=0), now=NOW)
        assert caught.value.age == NOW

    def test_a_clock_that_is_no_number_is_in_no_window(self):
        assert reason_of(scheme(), signed(), math.nan) != "ok"

    def test_what_must_be_remembered_is_remembered_until_it_could_not_be_accepted_any_more(self):
        def until(request, **options):
            return scheme(**options).verify_signature(request, now=NOW).once.until

        assert until(signed(), max_age=30) == NOW + 30
        assert until(signed(expires=NOW + 10)) == NOW + 15
        assert until(signed(expires=NOW + 10**6)) == NOW + 60

    def test_a_key_that_is_not_valid_now_signs_nothing(self):
        dated = Key("edge-1", SECRET, not_before=NOW - 10, not_after=NOW + 10)

        assert scheme(dated).verify_signature(signed(), now=NOW).once.until == NOW + 10
        for now in (NOW + 11, NOW - 11):
            with pytest.raises(BadSignature, match="not valid now"):
                scheme(dated).verify(signed(created=int(now)), now=now)

    def test_a_time_of_more_than_twelve_digits_is_malformed(self):
        request = by_hand("()", f';created={10**12};keyid="edge-1"', b"")
        judge = scheme(components=(), require_nonce=False)

        assert reason_of(judge, request) == "malformed"


class TestCoverage:
    @pytest.mark.parametrize("left_out", ["@method", "@authority", "@path", "@query"])
    def test_a_good_signature_that_leaves_out_what_is_required_is_refused(self, left_out):
        parts = [name for name in ("@method", "@authority", "@path", "@query") if name != left_out]

        with pytest.raises(NotCovered, match=f'^the signature leaves out "{left_out}"$') as caught:
            scheme().verify(signed(signer={"components": parts}), now=NOW)
        assert caught.value.reason == "coverage"

    def test_more_than_is_required_may_be_signed(self):
        request = signed(
            fields=[("X-Note", b"one"), ("X-Note", b" two ")],
            signer={"components": ["x-note", "@query", "@path", "@authority", "@method"]},
        )
        judge = scheme()

        judge.verify(request, now=NOW)
        changed = with_field(request, "X-Note", b"three")
        with pytest.raises(BadSignature):
            judge.verify(changed, now=NOW)

    def test_without_a_nonce_it_is_refused_unless_none_is_required(self):
        request = signed(nonce=None)

        with pytest.raises(NotCovered, match="leaves out nonce"):
            scheme().verify(request, now=NOW)
        verified = scheme(require_nonce=False).verify_signature(request, now=NOW)
        assert verified.once is None
        assert "once" not in verified.covers

    def test_a_nonce_is_told_even_where_none_is_required(self):
        once = scheme(require_nonce=False).verify_signature(signed(nonce="n"), now=NOW).once
        assert once.key == b"edge-1:n"

    def test_without_a_time_it_is_refused(self):
        request = by_hand("()", ';keyid="edge-1";nonce="n"', b"")

        with pytest.raises(NotCovered, match="leaves out created"):
            scheme(components=()).verify(request, now=NOW)

    def test_the_order_of_a_components_parameters_means_nothing(self):
        parts = ['"content-digest";key="sha-256";sf']
        fields = [("Content-Digest", b"sha-256=:" + b"A" * 43 + b"=:")]
        request = signed(fields=fields, signer={"components": parts})

        judge = scheme(components=['"content-digest";sf;key="sha-256"'])
        assert judge.verify_signature(request, now=NOW).body.algorithm == "sha256"

    def test_a_required_component_with_parameters_is_no_other(self):
        parts = ['"@query-param";name="q"', '"@query-param";name="r"']
        request = signed(target="/?q=1&r=2&s=3", signer={"components": parts})

        scheme(components=parts[:1]).verify(request, now=NOW)
        with pytest.raises(NotCovered):
            scheme(components=['"@query-param";name="s"']).verify(request, now=NOW)

    @pytest.mark.parametrize(
        ("parts", "covers"),
        [
            (["@target-uri"], {"path", "query", "host"}),
            (["@request-target"], {"path", "query"}),
            (["host"], {"host"}),
            (["@scheme", "x-note"], set()),
            (['"@query-param";name="q"'], set()),
        ],
    )
    def test_what_it_covers_is_what_is_signed(self, parts, covers):
        request = signed(
            target="/?q=1", fields=[("X-Note", b"one")], signer={"components": parts}, nonce="n"
        )
        found = scheme(components=()).verify_signature(request, now=NOW).covers
        assert found == covers | {"time", "once"}


class TestBody:
    DIGEST = b"sha-256=:" + b"A" * 43 + b"=:"
    BETTER = b"sha-512=:" + b"A" * 86 + b"==:"

    def verified(self, digest, components=("content-digest",), required=()):
        request = signed(
            "POST", fields=[("Content-Digest", digest)], signer={"components": components}
        )
        return scheme(components=required).verify_signature(request, now=NOW)

    @pytest.mark.parametrize(
        ("digest", "algorithm"),
        [
            (DIGEST, "sha256"),
            (BETTER, "sha512"),
            (DIGEST + b", " + BETTER, "sha512"),
            (b"md5=:AAAA:, " + DIGEST, "sha256"),
            (b"sha-512=:AAAA:, " + DIGEST, "sha256"),
            (b"sha-512=(a b), " + DIGEST, "sha256"),
            (b'sha-512="AAAA", ' + DIGEST, "sha256"),
        ],
    )
    def test_the_best_digest_that_is_signed_is_told(self, digest, algorithm):
        found = self.verified(digest)
        length = {"sha256": 32, "sha512": 64}[algorithm]

        assert found.body == BodyDigest(algorithm, bytes(length))
        assert "body" in found.covers

    def test_who_signed_comes_with_the_digest_and_vouches_for_the_body(self):
        request = signed(
            fields=[("Content-Digest", self.DIGEST)], signer={"components": ["content-digest"]}
        )
        identity = scheme(components=()).verify(request, now=NOW)

        assert identity.body == BodyDigest("sha256", bytes(32))
        assert "body" in identity.covers

    def test_a_digest_of_a_kind_that_nobody_compares_covers_no_body(self):
        for digest in (b"md5=:AAAA:", self.DIGEST + b", md5=:AAAA:"):
            request = signed(
                fields=[("Content-Digest", digest)],
                signer={"components": ['"content-digest";key="md5"']},
            )
            found = scheme(components=()).verify_signature(request, now=NOW)

            assert (found.body, found.covers & {"body"}, found.identity.covers & {"body"}) == (
                *(None, frozenset(), frozenset()),
            )

    def test_of_several_digests_only_one_that_is_signed_counts(self):
        found = self.verified(self.DIGEST + b", " + self.BETTER, ['"content-digest";key="sha-256"'])
        assert found.body.algorithm == "sha256"

    @pytest.mark.parametrize("digest", [b"md5=:AAAA:", b"sha-256=:AAAA:"])
    def test_a_digest_that_cannot_be_compared_covers_no_body(self, digest):
        found = self.verified(digest)

        assert found.body is None
        assert "body" not in found.covers
        with pytest.raises(NotCovered, match="neither sha-256 nor sha-512"):
            self.verified(digest, required=("content-digest",))


class TestSeveralSignatures:
    CLIENTS = (b'theirs=("@method");created=1;keyid="c";tag="bot"', b"theirs=:AAAA:")

    def both(self, request, *, first=False, lines=False):
        """*request* with a client's own signature, in the same line or in one of its own."""
        found = []
        for name, value in request.fields:
            if name not in ("Signature-Input", "Signature"):
                found.append((name, value))
                continue
            pair = [value, self.CLIENTS[name == "Signature"]]
            pair = pair[::-1] if first else pair
            found += [(name, part) for part in pair] if lines else [(name, b" ,\t".join(pair))]
        return replace(request, fields=found)

    @pytest.mark.parametrize("first", [False, True])
    @pytest.mark.parametrize("lines", [False, True])
    def test_a_clients_own_signature_with_another_tag_does_no_harm(self, first, lines):
        request = self.both(signed(signer={"tag": "edge"}), first=first, lines=lines)
        judge = scheme(tag="edge")

        for _ in range(2):
            judge.verify(request, now=NOW)
            with pytest.raises(BadSignature):
                judge.verify(replace(request, method="PUT"), now=NOW)

    def test_a_clients_own_signature_is_not_taken_for_the_edges(self):
        fields = [("Signature-Input", self.CLIENTS[0]), ("Signature", self.CLIENTS[1])]
        with pytest.raises(MissingHeader, match="tag of this gate"):
            scheme(tag="edge").verify(replace(signed(), fields=fields), now=NOW)

    def test_a_signature_without_a_tag_is_not_ours_where_there_is_one(self):
        assert reason_of(scheme(tag="edge"), signed()) == "missing"

    @pytest.mark.parametrize("tag", [None, "edge"])
    def test_without_a_tag_one_signature_is_taken_whatever_its_tag(self, tag):
        scheme().verify(signed(signer={"tag": tag}), now=NOW)

    def test_without_a_tag_two_signatures_are_refused(self):
        assert reason_of(scheme(), self.both(signed())) == "malformed"

    def test_a_second_signature_with_the_same_tag_is_refused_though_both_are_good(self):
        one = signed(signer={"tag": "edge"})
        two = signed(signer={"tag": "edge", "label": "second"})
        fields = [*one.fields, *two.fields[1:]]

        assert reason_of(scheme(tag="edge"), replace(one, fields=fields)) == "malformed"

    def test_a_tag_with_quotes_and_backslashes_is_found(self):
        tag = r'the "edge" \ gate'
        scheme(tag=tag).verify(signed(signer={"tag": tag}), now=NOW)

    def test_a_label_that_is_in_one_field_alone_is_malformed(self):
        request = signed(signer={"tag": "edge"})
        more = field(request, "Signature") + b", more=:AAAA:"
        judge = scheme(tag="edge")

        assert reason_of(judge, with_field(request, "Signature", more)) == "malformed"
        judge.verify(request, now=NOW)
        assert reason_of(judge, with_field(request, "Signature", more)) == "malformed"


class TestKeys:
    def test_a_signature_names_its_key_and_no_other_is_tried(self):
        judge = scheme(KEY, OTHER)

        assert judge.verify(signed(), now=NOW).key_id == "edge-1"
        assert judge.verify(signed(key=OTHER), now=NOW).key_id == "edge-2"
        with pytest.raises(BadSignature):
            scheme(Key("edge-1", "the-same-id-with-another-secret")).verify(signed(), now=NOW)
        with pytest.raises(BadSignature, match="names a key that is not here"):
            scheme(OTHER).verify(signed(), now=NOW)

    def test_secrets_and_a_ring_are_keys_with_their_ids(self):
        first = Key("key-1", SECRET)

        scheme(SECRET).verify(signed(key=first), now=NOW)
        MessageSignatureScheme(KeyRing([KEY, OTHER])).verify(signed(), now=NOW)

    def test_keys_of_both_kinds_stand_side_by_side(self):
        public = PublicKey("edge-2", published_key("ed25519", "pem"), "ed25519")
        private = PrivateKey("edge-2", published_key("ed25519", "key"), "ed25519")
        judge = scheme(KEY, public)

        assert judge.verify(signed(), now=NOW).key_id == "edge-1"
        assert judge.verify(signed(key=private), now=NOW).key_id == "edge-2"
        assert [key.id for key in judge.keys] == ["edge-1", "edge-2"]

    def test_a_public_key_is_no_secret(self):
        pem = published_key("ed25519", "pem")
        judge = scheme(PublicKey("edge-1", pem, "ed25519"))

        # A Key refuses it, and whoever forges has no need of ours.
        request = signed()
        found, _ = selected([field(request, "Signature-Input")], [b"edge=:AAAA:"], None)[1:]
        base = Base(components(found)).of(request, found.text(), "https")
        mac = b64encode(hmac.digest(pem.strip().encode(), base, "sha256"))
        forged = with_field(request, "Signature", b"edge=:" + mac + b":")

        assert reason_of(judge, forged) == "bad-signature"

    def test_a_public_key_may_have_an_end(self):
        private = PrivateKey("edge-1", published_key("ed25519", "key"), "ed25519")
        public = PublicKey("edge-1", published_key("ed25519", "pem"), "ed25519", not_after=NOW + 1)

        scheme(public).verify(signed(key=private), now=NOW + 1)
        with pytest.raises(BadSignature, match="not valid now"):
            scheme(public).verify(signed(key=private), now=NOW + 2)

    @pytest.mark.parametrize("name", ["hmac-sha256", "ed25519"])
    def test_the_algorithm_may_be_named_and_must_be_that_of_the_key(self, name):
        request = by_hand("()", f';created={NOW};keyid="edge-1";alg="{name}"', b"")
        judge = scheme(components=(), require_nonce=False)

        assert reason_of(judge, request) == ("ok" if name == "hmac-sha256" else "bad-signature")

    def test_a_signature_that_names_no_key_is_malformed(self):
        request = by_hand("()", f";created={NOW}", b"")
        with pytest.raises(MalformedHeader, match="names no key"):
            scheme(components=(), require_nonce=False).verify(request, now=NOW)

    def test_a_public_key_and_a_secret_cannot_have_one_id(self):
        public = PublicKey("edge-1", published_key("ed25519", "pem"), "ed25519")
        with pytest.raises(ConfigurationError, match="the same id"):
            scheme(KEY, public)

    @pytest.mark.parametrize(
        "keys",
        [[], [KEY, Key("edge-1", "the-same-id-with-another-secret")], KEY, SECRET, [7]],
        ids=["none", "same id", "a key", "a secret", "no key"],
    )
    def test_keys_that_cannot_be_used_are_refused_at_the_start(self, keys):
        with pytest.raises(ConfigurationError):
            MessageSignatureScheme(keys)


class TestFields:
    @pytest.mark.parametrize("name", ["Signature-Input", "Signature"])
    def test_without_one_of_the_two_fields_it_is_missing(self, name):
        request = signed()
        request.fields = [(field, value) for field, value in request.fields if field != name]

        with pytest.raises(MissingHeader, match=f"^no {name} header$"):
            scheme().verify(request, now=NOW)

    def test_white_space_and_leading_zeros_change_nothing(self):
        # What is signed is the canonical form of what was read (RFC 9421, 2.3).
        request = signed()
        spaced = field(request, "Signature-Input").replace(b";", b"; ").replace(b" ", b"  ")
        spaced = b" \t" + spaced.replace(b"(", b"(  ").replace(b")", b"  )") + b" "

        for text in (spaced, spaced.replace(b"created=", b"created=00000")):
            scheme().verify(with_field(request, "Signature-Input", text), now=NOW)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"@path"', b'"@path" "@path"'),
            (b'"@path"', b'"@PATH"'),
            (b'"@path"', b'"@unknown"'),
            (b'"@path"', b'"@status"'),
            (b'"@path"', b'"@path";req'),
            (b'"@path"', b'"@path";x'),
            (b'"@path"', b'"x-note";req'),
            (b'"@path"', b'"x-note";tr'),
            (b'"@path"', b'"x-note";bs;sf'),
            (b'"@path"', b'"x-note";bs=?0'),
            (b'"@path"', b'"x-note";bs=1'),
            (b'"@path"', b'"x-note";sf'),
            (b'"@path"', b'"x-note";key=1'),
            (b'"@path"', b'"x-note";key="a";bs'),
            (b'"@path"', b'"X-Note"'),
            (b'"@path"', b'"x_note"'),
            (b'"@path"', b'""'),
            (b'"@path"', b'"@query-param"'),
            (b'"@path"', b'"@query-param";name=a'),
            (b'"@path"', b'"@query-param";name="a";sf'),
            (b'"@path"', b'"@signature-params"'),
            (b'"@path"', b"@path"),
            (b'"@path"', b"path"),
            (b'"@path"', b"(path)"),
            (b'"@path"', b'"@path";sf;sf'),
            (b'"@path" ', b'"@path"'),
            (b'"@path"', b'"@path"\t'),
            (b'edge=("@method" "@authority" "@path" "@query")', b"edge=1"),
            (b"edge=(", b"EDGE=("),
            (b"edge=(", b"("),
            (b"edge=(", b"edge=(("),
            (b")", b""),
            (b")", b"))"),
            (b";created", b";created=1;created"),
            (b";created", b";unknown=1;created"),
            (b";created", b";tag=1;created"),
            (b";created", b";alg=?1;created"),
            (b";created=", b";created=-"),
            (b";created=", b";created=1."),
            (b";created=1760000000", b";created"),
            (b";created=1760000000", b';created="1760000000"'),
            (b";created=1760000000", b";created=NaN"),
            (b";created=1760000000", b";created=1760000000.0"),
            (b";keyid=", b";key="),
            (b';keyid="edge-1"', b";keyid=edge"),
            (b';keyid="edge-1"', b';keyid=""'),
            (b';keyid="edge-1"', b";keyid=:AAAA:"),
            (b';nonce="n"', b';nonce=""'),
            (b';nonce="n"', b';nonce="' + b"n" * 257 + b'"'),
            (b';nonce="n"', rb';nonce="\\"'),
            (b';nonce="n"', b';nonce="n'),
            (b';nonce="n"', b';nonce="n" x'),
            (b';nonce="n"', b';nonce="n",'),
        ],
        ids=lambda text: text.decode()[:30],
    )
    @pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
    def test_what_is_outside_of_the_profile_is_malformed(self, old, new, known):
        request = signed(nonce="n", fields=[("X-Note", b"one")])
        judge = scheme()
        if known:
            judge.verify(request, now=NOW)
        value = field(request, "Signature-Input")
        assert old in value

        changed = with_field(request, "Signature-Input", value.replace(old, new, 1))
        assert reason_of(judge, changed) == "malformed"

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda value: value.replace(b"edge=", b"edge= "), "malformed"),
            (lambda value: value.replace(b"=:", b":"), "malformed"),
            (lambda value: value[:-2] + b":", "malformed"),
            (lambda value: value[:-1], "malformed"),
            (lambda value: value + b";a", "malformed"),
            (lambda value: value + b", edge=:AAAA:", "malformed"),
            (lambda value: value + b", more=:AAAA:", "malformed"),
            (lambda value: b"more=:AAAA:, " + value, "malformed"),
            (lambda value: value.replace(b"=:", b'="') + b'"', "malformed"),
            (lambda _: b"edge=(:AAAA:)", "malformed"),
            (lambda _: b"edge", "malformed"),
            (lambda _: b"edge=:", "malformed"),
            (lambda _: b"edge=::", "bad-signature"),
            (lambda _: b"edge=:AAAA:", "bad-signature"),
            (lambda _: b"edge=:" + b"A" * 43 + b"=:", "bad-signature"),
            # Bits that base64 has to spare: the same bytes, spelt in another way.
            (lambda _: b"edge=:" + b"A" * 42 + b"B=:", "malformed"),
            (lambda _: b"", "malformed"),
        ],
    )
    @pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
    def test_a_signature_is_one_sequence_of_bytes_in_its_one_spelling(self, change, reason, known):
        request = signed()
        judge = scheme()
        if known:
            judge.verify(request, now=NOW)

        changed = with_field(request, "Signature", change(field(request, "Signature")))
        assert reason_of(judge, changed) == reason
        # Whoever it says that it is of.
        text = field(request, "Signature-Input").replace(b"edge-1", b"edge-9")
        assert reason_of(judge, with_field(changed, "Signature-Input", text)) == reason

    @pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
    def test_a_signature_of_a_public_key_has_one_spelling_too(self, known):
        private = PrivateKey("edge-1", published_key("ed25519", "key"), "ed25519")
        judge = scheme(PublicKey("edge-1", published_key("ed25519", "pem"), "ed25519"))
        request = signed(key=private)
        if known:
            judge.verify(request, now=NOW)
        value = field(request, "Signature")
        # 64 bytes end in two letters of padding: four bits to spare.
        spared = value[:-4] + bytes([value[-4] + 1]) + value[-3:]

        for changed in (spared, value.replace(b"==:", b":")):
            assert reason_of(judge, with_field(request, "Signature", changed)) == "malformed"
        forged = value[:6] + value[6:10].swapcase() + value[10:]
        assert reason_of(judge, with_field(request, "Signature", forged)) == "bad-signature"

    def test_no_more_than_sixty_four_components_are_signed(self):
        names = [f'"x-{number}"' for number in range(65)]
        fields = [(f"X-{number}", b"") for number in range(65)]
        judge = scheme(components=(), require_nonce=False)

        def reason(count):
            lines = "".join(f"{name}: \n" for name in names[:count]).encode()
            listed = f"({' '.join(names[:count])})"
            parameters = f';created={NOW};keyid="edge-1"'
            return reason_of(judge, by_hand(listed, parameters, lines, fields=list(fields)))

        assert (reason(64), reason(65)) == ("ok", "malformed")

    def test_a_component_with_a_parenthesis_in_its_name_is_read_from_memory_too(self):
        judge = scheme(components=())
        request = signed(
            target="/?a%29=1&b=2",
            signer={"components": ['"@query-param";name="a)"', "@method"]},
        )
        for _ in range(2):
            judge.verify(request, now=NOW)
            with pytest.raises(BadSignature):
                judge.verify(replace(request, target=b"/?a%29=2&b=2"), now=NOW)
        assert len(judge._forms) == 1


class TestForms:
    def test_only_what_was_accepted_is_remembered(self):
        judge = scheme()
        for change in ({"method": "PUT"}, {"target": b"/"}):
            assert reason_of(judge, replace(signed(), **change)) == "bad-signature"
        assert reason_of(judge, signed(), NOW + 61) == "expired"
        assert not judge._forms

        judge.verify(signed(), now=NOW)
        assert len(judge._forms) == 1

    def test_a_form_that_was_accepted_is_not_parsed_again(self, monkeypatch):
        judge = scheme()
        judge.verify(signed(), now=NOW)
        monkeypatch.setattr(verifying, "selected", None)

        for key, nonce in ((KEY, "n"), (KEY, "another")):
            assert judge.verify(signed(key=key, nonce=nonce), now=NOW).key_id == "edge-1"

    def test_forms_that_begin_alike_are_not_parsed_again_either(self, monkeypatch):
        judge = scheme(components=())
        part = {"components": ['"@query-param";name="a)"']}
        requests = [
            signed(target="/?a%29=1", signer={**part, "tag": tag})
            for tag in ("one", "two", "three")
        ]
        for request in requests:
            judge.verify(request, now=NOW)
        monkeypatch.setattr(verifying, "selected", None)

        for request in requests:
            assert judge.verify(request, now=NOW).key_id == "edge-1"

    def test_several_forms_are_remembered_side_by_side(self):
        judge = scheme()
        for label in ("one", "two", "three"):
            judge.verify(signed(signer={"label": label}), now=NOW)
        assert len(judge._forms) == 3

    def test_nobody_without_a_key_has_a_pattern_worked_out(self, monkeypatch):
        learnt = []
        monkeypatch.setattr(verifying.Form, "learn", learnt.append)
        for number in range(3):
            forged = replace(signed(signer={"tag": f"tag-{number}"}), method="PUT")
            assert reason_of(scheme(), forged) == "bad-signature"
        assert not learnt

    def test_forms_that_are_remembered_are_few(self):
        judge = scheme()
        for number in range(67):
            judge.verify(signed(signer={"label": f"edge{number}"}), now=NOW)
            assert len(judge._forms) == (number + 1 if number < 64 else number - 63)

    def test_forms_that_begin_alike_are_told_apart_and_few(self):
        judge = scheme(require_nonce=False)
        requests = [
            signed(signer={"tag": tag}, nonce=nonce)
            for tag in (None, "a", "b")
            for nonce in (None, "n")
        ]
        for number, request in enumerate(requests * 2):
            once = judge.verify_signature(request, now=NOW).once
            assert (once is None) == (b"nonce" not in field(request, "Signature-Input"))
            [alike] = judge._forms.values()
            assert len(alike) == min(number + 1, 4)

    def test_what_is_always_read_anew_is_remembered_once(self):
        judge = scheme()
        request = signed()
        spaced = field(request, "Signature-Input").replace(b";", b"; ")
        for _ in range(3):
            judge.verify(with_field(request, "Signature-Input", spaced), now=NOW)
        assert [len(alike) for alike in judge._forms.values()] == [1]

    def test_two_schemes_share_nothing(self):
        one, two = scheme(), scheme(OTHER)
        one.verify(signed(), now=NOW)
        assert reason_of(two, signed()) == "bad-signature"


@pytest.mark.parametrize(
    "options",
    [
        {"components": "@method"},
        {"components": ["@method", "@method"]},
        {"components": ["@Method"]},
        {"components": ["@status"]},
        {"components": ["X-Note"]},
        {"components": ["näme"]},
        {"components": [7]},
        {"components": ['"x-note";req']},
        {"components": ['"x-note" x']},
        {"tag": ""},
        {"tag": "ü"},
        {"tag": 7},
        {"tag": "x" * 129},
        {"scheme": "ftp"},
        {"max_age": None},
        {"max_future": -1},
    ],
    ids=str,
)
def test_an_argument_that_cannot_be_used_is_refused_at_the_start(options):
    with pytest.raises(ConfigurationError):
        scheme(**options)


def test_no_error_tells_a_key_a_signature_or_what_was_received():
    request = signed(nonce="the-nonce", fields=[("X-Note", b"private")])
    judges = [scheme(OTHER), scheme(Key("edge-1", "the-same-id-with-another-secret"))]
    judges += [scheme(components=["x-note"]), scheme(tag="other")]
    for judge in judges:
        with pytest.raises(VerificationError) as caught:
            judge.verify(request, now=NOW)
        told = f"{caught.value!r} {caught.value} {caught.value.hint}"
        for private in (SECRET, "the-nonce", "private", field(request, "Signature")[6:20].decode()):
            assert private not in told


def test_a_request_is_signed_with_one_call():
    made = sign_request(
        KEY, "GET", "/", HOST, options={"tag": "edge", "label": "one"}, created=NOW, nonce="n"
    )
    fields = [("Host", HOST.encode()), *((name, value.encode()) for name, value in made.items())]
    request = PlainRequest(target=b"/", host=HOST.encode(), fields=fields)

    assert scheme(tag="edge").verify(request, now=NOW).key_id == "edge-1"
    assert made["Signature-Input"] == (
        f'one=("@method" "@authority" "@path" "@query");created={NOW};keyid="edge-1";'
        'nonce="n";tag="edge"'
    )


def test_hostile_fields_that_differ_in_case_alone_are_the_same_field():
    request = signed()
    doubled = [*request.fields, ("signature-input", field(request, "Signature-Input"))]

    with pytest.raises(MalformedHeader, match="same key twice"):
        scheme().verify(replace(request, fields=doubled), now=NOW)


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_a_signature_by_a_secret_is_compared_as_a_whole_in_constant_time(monkeypatch, known):
    judge, request = scheme(), signed()
    if known:
        judge.verify(request, now=NOW)
    received = field(request, "Signature")
    compared = []
    monkeypatch.setattr(verifying, "compare_digest", lambda *pair: compared.append(pair) or False)

    with pytest.raises(BadSignature):
        judge.verify(request, now=NOW)
    assert compared == [(received, received)]


def test_the_scheme_says_what_it_needs_of_a_guard_and_of_a_proxy():
    judge = scheme(components=["@method", "x-note", '"content-digest";key="sha-256"', "x-note2"])

    assert judge.once is True
    assert judge.needs_body is True
    assert judge.looks_at == ("x-note", "content-digest", "x-note2")
    assert scheme().needs_body is False


def test_the_identity_of_an_error_says_who_when_and_by_which_kind():
    with pytest.raises(Expired) as caught:
        scheme().verify(signed(), now=NOW + 61)
    assert caught.value.identity == EdgeIdentity(NOW, None, "edge-1", "message-signatures")


def test_a_ring_is_taken_as_it_is():
    ring = KeyRing([KEY])
    assert MessageSignatureScheme(ring).keys is ring


class TestAnEmptyQuery:
    """``/p?`` where the server tells ``/p``, as ASGI servers do."""

    class Scope(PlainRequest):
        drops_empty_query = True

    def came(self, target, key, components):
        made = signed("GET", target, key=key, signer={"components": components})
        told = target.removesuffix("?").encode()
        return self.Scope(target=told, host=made.host, fields=made.fields)

    @pytest.mark.parametrize("component", ["@request-target", "@target-uri"])
    @pytest.mark.parametrize("side", ["secret", "public"])
    def test_what_was_signed_with_the_mark_and_without_it_is_accepted(self, component, side):
        key = (
            KEY
            if side == "secret"
            else PrivateKey("edge-2", published_key("ed25519", "key"), "ed25519")
        )
        known = KEY if side == "secret" else key.public
        scheme = MessageSignatureScheme([known], components=[component])
        for target in ("/p", "/p?"):
            assert scheme.verify(self.came(target, key, [component]), now=NOW).timestamp == NOW
        with pytest.raises(BadSignature):
            scheme.verify(self.came("/p??", key, [component]), now=NOW)
        wrong = self.came("/p", key, [component])
        wrong.target = b"/q"
        with pytest.raises(BadSignature):
            scheme.verify(wrong, now=NOW)

    def test_where_the_server_tells_it_the_two_are_apart(self):
        scheme = MessageSignatureScheme([KEY], components=["@request-target"])
        made = signed("GET", "/p?", signer={"components": ["@request-target"]})
        assert scheme.verify(made, now=NOW)
        made.target = b"/p"
        with pytest.raises(BadSignature):
            scheme.verify(made, now=NOW)


@pytest.mark.parametrize("kind", ["hmac-sha256", "ed25519"])
@pytest.mark.parametrize("change", [(b"edge=:", b"edgy=:"), (b"=:", b"=;"), (b"=:", b"=")])
def test_a_signature_of_a_known_form_counts_under_its_label_and_in_its_frame_alone(kind, change):
    private, judge = KEY, scheme()
    if kind == "ed25519":
        private = PrivateKey("edge-1", published_key("ed25519", "key"), "ed25519")
        judge = scheme(PublicKey("edge-1", published_key("ed25519", "pem"), "ed25519"))
    request = signed(key=private)
    judge.verify(request, now=NOW)
    value = field(request, "Signature")

    for changed in (value.replace(*change), value[:-1] + b";"):
        assert reason_of(judge, with_field(request, "Signature", changed)) == "malformed"


@pytest.mark.parametrize(
    ("created", "covers"), [("", {"method"}), (";created=1", {"method", "time"})]
)
def test_a_form_covers_the_time_where_the_signature_has_one(created, covers):
    text = f'edge=("@method"){created};keyid="k"'.encode()
    form = Form(selected([text], [b"edge=:AAAA:"], None), {}, require_nonce=False)

    assert form.covers == covers
    assert form.missing == (None if created else "the signature leaves out created")
