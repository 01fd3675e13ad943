"""``edgeauth keygen``: makes a new secret."""

from __future__ import annotations

import secrets

import click

_WHERE = """\
This is a new secret of 32 random bytes, written as 64 hex digits. It is stored nowhere.
Both sides use these 64 characters as they stand: decode nothing, add no quotes, no newline.

  origin  EDGEAUTH_SECRET in the environment; or a line ID:SECRET at the end of the file
          that EDGEAUTH_SECRETS_FILE names (mode 600)
  edge    VCL: an entry of a private dictionary; Compute: an entry of a secret store

To change a secret in use without an outage: edgeauth keys rotate begin, and so on; or add the
new one at the origin as the last line of the secrets file, then change it at the edge, then
remove the old line. The app sees the file change.
"""


@click.command("keygen")
def command() -> None:
    """Print a new secret and where to put it.

    Only the secret goes to standard output, so that SECRET=$(edgeauth keygen) works; the
    explanation goes to standard error.
    """
    # Hex needs no quoting in VCL, TOML, YAML, a shell or an env file, never begins with a
    # dash, and fills the 64 bytes of an HMAC block exactly.
    click.echo(secrets.token_hex(32))
    click.echo(_WHERE, err=True, nl=False)
