"""``edgeauth keygen``: makes a new secret, or a pair of keys."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import click

from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.private_key import new_pair, write_private_key

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


_PAIR = """\
This is a new pair of Ed25519 keys. The private one is {where}.

  edge    the private key: it signs. Put it where the edge keeps its secrets, and nowhere else
  origin  {line} with the public key, at the end of the file that EDGEAUTH_SECRETS_FILE
          names. It is no secret: nobody can sign with it

To change a pair in use without an outage: put the new line at the end of the file, behind the old
one; then let the edge sign with the new private key; then edgeauth keys rotate finish drops the
old line. The app sees the file change.
"""


@click.command("keygen")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["hmac", "ed25519"]),
    default="hmac",
    show_default=True,
    help="hmac is a secret for both sides; ed25519 is a pair: the edge signs, the origin cannot.",
)
@click.option("--id", "key_id", metavar="ID", help="Of a pair. Default: today's date.")
@click.option(
    "--out",
    metavar="FILE",
    type=FILE,
    help="Where the private key of a pair goes: a new file (mode 600), or - for standard output.",
)
@json_option(
    {
        "type": "hmac or ed25519",
        "id": "of a pair; else null",
        "secret": "the new secret; null of a pair",
        "public_key": "of a pair, as it is written behind its id; else null",
        "private_key": "of a pair with --out -: the private key in PEM; else null",
    }
)
def command(*, kind: str, key_id: str | None, out: str | None, as_json: bool) -> None:
    """Print a new secret, or make a pair of keys, and say where to put it.

    Only the secret goes to standard output, so that SECRET=$(edgeauth keygen) works; the
    explanation goes to standard error. Of a pair it is the line for the origin's file of keys.
    """
    if kind == "hmac":
        if key_id is not None or out is not None:
            raise click.UsageError("--id and --out are for a pair: give --type ed25519")
        # Hex needs no quoting in VCL, TOML, YAML, a shell or an env file, never begins with a
        # dash, and fills the 64 bytes of an HMAC block exactly.
        made = {"type": kind, "id": None, "secret": secrets.token_hex(32)}
        if as_json:
            print_json({**made, "public_key": None, "private_key": None})
        else:
            click.echo(made["secret"])
        click.echo(_WHERE, err=True, nl=False)
        return
    if out is None:
        raise click.UsageError(
            "a pair needs --out FILE, a new file for the private key (- is standard output)"
        )
    pem, public = new_pair(datetime.now(UTC).date().isoformat() if key_id is None else key_id)
    line = f"{public.id}: {public.text}"
    if out == "-":
        if not as_json:
            click.echo(pem, nl=False)
        where, line_is = "on standard output", f"the line\n          {line}\n         "
    else:
        write_private_key(out, pem)
        if not as_json:
            click.echo(line)
        where, line_is = f"in {out!a}, readable by you alone", "the line on standard output,"
    if as_json:
        shown = pem.decode() if out == "-" else None
        made = {"type": kind, "id": public.id, "secret": None, "public_key": public.text}
        print_json({**made, "private_key": shown})
    click.echo(_PAIR.format(where=where, line=line_is), err=True, nl=False)
