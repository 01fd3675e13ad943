"""What the doctor says of secrets, files, modes, windows and address lists."""

from __future__ import annotations

import pytest

from edgeauth import ConfigurationError, Guard, Settings
from edgeauth.ops.doctor.secret_checks import check_secrets
from edgeauth.ops.doctor.setting_checks import check_settings
from edgeauth.ops.private_key import new_pair

SECRET = "0f83b1a2c94d57e6a8b0c1d2e3f40516"
NOW = 1_798_761_600  # 2027-01-01


def ids(found):
    return [(finding.id, finding.severity) for finding in found]


def test_a_healthy_set_up_has_no_findings(tmp_path):
    (tmp_path / "secrets").write_text(f"2026:{SECRET}\n")
    (tmp_path / "secrets").chmod(0o600)
    settings = Settings(secrets_file=str(tmp_path / "secrets"), pass_secret=SECRET[::-1])
    assert check_secrets(settings, None) == []
    assert check_settings(settings, now=NOW) == []


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (SECRET + "\n", "stray newline"),
        (" " + SECRET, "white space"),
        ("short", "has 5 bytes"),
        ("some-pre-shared-secret", "printed in edgeauth's documentation"),
        ("changeme-changeme", "words that everybody tries"),
        (None, "no secret"),
    ],
)
def test_a_secret_with_which_the_app_does_not_start_is_an_error(secret, words):
    settings = Settings(secret=secret)
    with pytest.raises(ConfigurationError):
        Guard.from_settings(settings)
    (finding,) = check_secrets(settings, None)
    assert (finding.id, finding.severity) == ("secret-unusable", "error")
    assert words in finding.seen
    assert SECRET not in repr(finding)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (f'"{SECRET}"', ("secret-quotes", "warning")),
        (f"'{SECRET}'", ("secret-quotes", "warning")),
        ("CHANGEME-when-we-go-live", ("secret-example", "error")),
        ("the-password-of-our-shop", ("secret-example", "error")),
        ("gdacbacgdbacbgda", ("secret-guessable", "error")),
    ],
)
def test_a_secret_that_the_app_takes_and_should_not_is_found(secret, expected):
    settings = Settings(secret=secret)
    Guard.from_settings(settings)
    found = check_secrets(settings, None)
    assert ids(found) == [expected]
    assert secret not in repr(found)


def test_a_pass_secret_that_is_the_edges_is_an_error():
    found = check_secrets(Settings(secret=SECRET, pass_secret=SECRET), None)
    assert ids(found) == [("pass-secret-unusable", "error")]


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)]
)
def test_a_file_of_secrets_that_others_may_read_is_found(tmp_path, mode, is_open):
    for name, text in {
        "secrets": f"a:{SECRET}\n",
        "pass": SECRET[::-1],
        "with.toml": f'pass_secret = "{SECRET[::-1]}"',
        "without.toml": "max_age = 30",
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    settings = Settings(
        secrets_file=str(tmp_path / "secrets"), pass_secret_file=str(tmp_path / "pass")
    )
    found = check_secrets(settings, str(tmp_path / "with.toml"))
    assert ids(found) == [("file-open-to-others", "warning")] * 3 * is_open
    assert len(check_secrets(settings, str(tmp_path / "without.toml"))) == 2 * is_open


@pytest.mark.parametrize("pass_secret", [None, SECRET[::-1]], ids=["no passes", "passes"])
def test_a_file_that_is_missing_is_an_error_once(tmp_path, pass_secret):
    settings = Settings(secrets_file=str(tmp_path / "missing"), pass_secret=pass_secret)
    assert ids(check_secrets(settings, None)) == [("secret-unusable", "error")]


def test_keys_and_a_pass_secret_that_are_both_unusable_are_two_errors(tmp_path):
    settings = Settings(secrets_file=str(tmp_path / "missing"), pass_secret="short")
    assert ids(check_secrets(settings, None)) == [
        ("secret-unusable", "error"),
        ("pass-secret-unusable", "error"),
    ]


def test_the_files_of_a_folder_of_secrets_are_looked_at(tmp_path):
    for name, mode in (("a", 0o600), ("b", 0o604)):
        (tmp_path / name).write_text(SECRET)
        (tmp_path / name).chmod(mode)
    tmp_path.chmod(0o755)
    found = check_secrets(Settings(secrets_dir=str(tmp_path)), None)
    files = [finding.seen for finding in found if finding.id == "file-open-to-others"]
    assert len(files) == 1
    assert files[0].startswith(repr(str(tmp_path / "b")))


def test_a_folder_of_secrets_into_which_others_may_write_is_found(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "a").write_text(SECRET)
    (folder / "a").chmod(0o600)
    settings = Settings(secrets_dir=str(folder))
    folder.chmod(0o755)
    assert check_secrets(settings, None) == []
    folder.chmod(0o1777)
    (finding,) = check_secrets(settings, None)
    assert finding.id == "file-open-to-others"
    assert "every user of the machine may put one there" in finding.seen


def test_a_folder_of_secrets_that_is_missing_is_an_error_once(tmp_path):
    found = check_secrets(Settings(secrets_dir=str(tmp_path / "missing")), None)
    assert ids(found) == [("secret-unusable", "error")]


@pytest.mark.parametrize(("mode", "is_open"), [(0o644, False), (0o646, True)])
@pytest.mark.parametrize("place", ["secrets_file", "secrets_dir"])
def test_a_file_of_public_keys_is_no_secret_and_others_must_not_write_it(
    tmp_path, mode, is_open, place
):
    _, key = new_pair("edge-1")
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    file = folder / "edge-1"
    file.write_text(f"edge-1: {key.text}\n" if place == "secrets_file" else key.text)
    file.chmod(mode)
    named = {place: str(file if place == "secrets_file" else folder)}
    found = check_secrets(Settings(scheme="message-signatures", **named), None)
    assert ids(found) == [("file-open-to-others", "warning")] * is_open
    assert all("has the keys that are believed" in finding.seen for finding in found)


def test_a_file_with_a_secret_beside_a_public_key_is_one_of_secrets(tmp_path):
    _, key = new_pair("edge-1")
    file = tmp_path / "keys"
    file.write_text(f"old:{SECRET}\nedge-1: {key.text}\n")
    file.chmod(0o644)
    settings = Settings(scheme="message-signatures", secrets_file=str(file))
    (finding,) = check_secrets(settings, None)
    assert "holds a secret" in finding.seen


@pytest.mark.parametrize(("mode", "is_open"), [(0o644, False), (0o646, True)])
def test_a_file_of_revoked_passes_is_no_secret_and_others_must_not_write_it(
    tmp_path, mode, is_open
):
    (tmp_path / "revoked").write_text("0a\n")
    (tmp_path / "revoked").chmod(mode)
    settings = Settings(
        secret=SECRET, pass_secret=SECRET[::-1], revoked_passes_file=str(tmp_path / "revoked")
    )
    assert ids(check_secrets(settings, None)) == [("file-open-to-others", "warning")] * is_open


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mode": "report-only"}, ["report-only"]),
        ({"max_age": 301}, ["window-large"]),
        ({"max_future": 61}, ["window-large"]),
        ({"max_age": 3600, "max_future": 3600}, ["window-large", "window-large"]),
        ({"max_age": 300, "max_future": 60}, []),
        ({"addresses": "/missing"}, ["addresses-unusable"]),
        ({"addresses": "fastly", "addresses_stale_days": 100}, []),
    ],
)
def test_settings_that_let_too_much_in_are_found(options, expected):
    found = check_settings(Settings(secret=SECRET, **options), now=NOW)
    assert [finding.id for finding in found] == expected


@pytest.mark.parametrize(
    ("as_of", "days"),
    [("2026-10-03", None), ("2026-10-02", 91), ("2026-09", 122), ("2026-13", None), (None, None)],
)
def test_an_old_address_list_is_found(tmp_path, as_of, days):
    date = f', "as_of": "{as_of}"' if as_of else ""
    (tmp_path / "list.json").write_text(
        f'{{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []{date}}}'
    )
    settings = Settings(secret=SECRET, addresses=str(tmp_path / "list.json"))
    found = check_settings(settings, now=NOW)
    assert ids(found) == ([("addresses-stale", "warning")] if days else [])
    if days:
        assert f"{days} days ago" in found[0].seen


def test_the_secrets_of_each_of_several_schemes_are_looked_at(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o757)
    (tmp_path / "keys" / "2026").write_text(SECRET)
    (tmp_path / "keys" / "2026").chmod(0o600)
    config = tmp_path / "edgeauth.toml"
    config.write_text(
        f'[[schemes]]\nsecrets_dir = "{tmp_path}/keys"\n'
        '[[schemes]]\nscheme = "shared-secret"\nsecret = "short"\n'
    )
    config.chmod(0o644)
    found = check_secrets(Settings.from_toml(config), config)
    assert ids(found) == [
        ("secret-unusable", "error"),
        ("file-open-to-others", "warning"),
        ("file-open-to-others", "warning"),
    ]
    assert [finding.seen.partition("/keys'")[1] for finding in found[1:]] == ["", "/keys'"]


def test_the_widest_window_of_several_schemes_is_looked_at():
    schemes = [{"secret": SECRET, "max_age": 30}, {"secret": SECRET[::-1], "max_age": 900}]
    (finding,) = check_settings(Settings.from_mapping({"schemes": schemes}), now=NOW)
    assert (finding.id, "max_age is 900 s" in finding.seen) == ("window-large", True)
