"""``edgeauth keygen``."""

from __future__ import annotations

import re

from edgeauth import Key


def test_standard_output_has_the_secret_alone_and_standard_error_says_where_it_goes(edgeauth):
    result = edgeauth("keygen")
    assert re.fullmatch(r"[0-9a-f]{64}\n", result.stdout)
    assert all(word in result.stderr for word in ("EDGEAUTH_SECRET", "EDGEAUTH_SECRETS_FILE"))
    assert all(word in result.stderr for word in ("dictionary", "secret store"))
    assert result.stdout.strip() not in result.stderr


def test_a_secret_makes_a_key_and_is_never_the_same(edgeauth):
    secrets = {edgeauth("keygen").stdout.strip() for _ in range(3)}
    assert len({Key("default", secret).secret for secret in secrets}) == 3


def test_it_needs_no_settings_and_wrong_ones_do_not_stop_it(edgeauth):
    assert edgeauth("keygen", env={"EDGEAUTH_SECRT": "x"}).exit_code == 0
