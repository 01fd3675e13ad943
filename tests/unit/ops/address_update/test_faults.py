"""What goes wrong during an update: the user sees what it was, and the file is as it was."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import resource
import subprocess
import sys

import pytest
from support.list_server import answer, list_server
from support.processes import HOST, free_port, wait_until
from support.programs import program

from edgeauth import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.address_update.fetch import MAX_BYTES
from edgeauth.ops.address_update.update import update
from edgeauth.ops.http_get import Limits

SHORT_READ = Limits(wait=0.2, overall=60)
SHORT_OVERALL = Limits(wait=60, overall=0.5)


@pytest.fixture
def unharmed(file):
    """The file; whatever the test did, it is as it was, and nothing lies beside it."""
    before = file.read_bytes()
    yield file
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def hang(server):
    def behave(_):
        server.stop.wait(10)
        yield b""

    return behave


def refused(file, behaviour, *, limits=None, **options):
    with list_server(behaviour) as server, pytest.raises(ListRefused) as caught:
        update(file, server.url, limits=limits, **options)
    return str(caught.value)


def test_a_server_that_hangs_is_given_up(unharmed):
    with list_server(None) as server:
        server.behaviour = hang(server)
        with pytest.raises(ListRefused, match="gave no answer in time"):
            update(unharmed, server.url, limits=SHORT_READ)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(unharmed):
    with list_server(None) as server:

        def drip(_):
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
            while not server.stop.wait(0.05):
                yield b" "

        server.behaviour = drip
        with pytest.raises(ListRefused, match=r"took more than 0\.5 s in all"):
            update(unharmed, server.url, limits=SHORT_OVERALL)


def test_a_server_whose_head_never_ends_is_given_up(unharmed):
    with list_server(None) as server:

        def drip(_):
            yield b"HTTP/1.1 200 OK\r\n"
            while not server.stop.wait(0.05):
                yield b"X: y\r\n"

        server.behaviour = drip
        with pytest.raises(ListRefused, match="took more than"):
            update(unharmed, server.url, limits=SHORT_OVERALL)


def test_two_gigabytes_are_not_read(unharmed):
    sent = itertools.count()

    def flood(_):
        yield f"HTTP/1.1 200 OK\r\nContent-Length: {2 << 30}\r\n\r\n".encode()
        block = b" " * 65536
        for _ in range((2 << 30) // len(block)):
            next(sent)
            yield block

    said = refused(unharmed, flood)
    assert f"sends more than {MAX_BYTES} bytes" in said
    # What the sockets' buffers take beyond the limit is a few megabytes.
    assert next(sent) * 65536 < 32 << 20


def test_a_compressed_answer_that_unpacks_to_much_more_is_not_unpacked(unharmed):
    bomb = gzip.compress(b" " * (64 << 20))
    said = refused(unharmed, answer(bomb, "Content-Encoding: gzip"))
    assert "compressed answer" in said


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answer("<!doctype html><title>Sign in</title>", "Content-Type: text/html"), "not JSON"),
        (answer(""), "not JSON"),
        (answer(b"\xff\xfe{}"), "not text"),
        (answer("[" * 100_000), "not JSON"),
        (answer([]), "wrong shape"),
        (answer({"addresses": []}), "no list 'ipv6_addresses'"),
        (answer({"addresses": [], "ipv6_addresses": []}), "is empty"),
        (answer({"addresses": ["0.0.0.0/0"], "ipv6_addresses": []}), "admits every address"),
        (answer("gone", status="404 Not Found"), "answered 404"),
        (answer("", status="304 Not Modified"), "answered 304"),
        (answer("", "Location: http://127.0.0.1/x", status="302 Found"), "name it with --url"),
        (answer("", "Location: //evil.example/", status="301 Moved"), "redirects to //evil.examp"),
        (answer("", "Location: /\x1b[2J", status="302 Found"), ""),
        (lambda _: iter([b"\x16\x03\x01\x02"]), "could not be fetched"),
        (lambda _: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"]), "could not be fetc"),
        (lambda _: iter([]), "could not be fetched"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_server_that_does_not_send_a_list_is_not_believed(unharmed, behaviour, words, force):
    said = refused(unharmed, behaviour, force=force)
    assert words in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"addresses": ["10.0.0.0/8"]}, "10.0.0.0/8"),
        ({"addresses": ["192.168.1.0/24"]}, "private and reserved"),
        ({"addresses": ["8.0.0.0/6"]}, "overlaps 10.0.0.0/8"),
        ({"addresses": ["127.0.0.1"]}, "overlaps 127.0.0.0/8"),
        ({"addresses": ["224.0.0.0/4"]}, "private and reserved"),
        ({"addresses": ["0.0.0.0/1", "128.0.0.0/1"]}, "private and reserved"),
        ({"addresses": ["16.0.0.0/6"]}, "so large"),
        ({"addresses": [f"{n}.0.0.0/10" for n in range(20, 60)]}, "1 in 64 of all IPv4"),
        ({"ipv6_addresses": ["fc00::/7"]}, "not on the public internet"),
        ({"ipv6_addresses": ["::1"]}, "not on the public internet"),
        ({"ipv6_addresses": ["2001:db8::/32"]}, "private and reserved"),
        ({"ipv6_addresses": ["2400::/12"]}, "so large"),
        ({"addresses": ["23.235.32.0/20"]}, "has 3% of the IPv4 addresses"),
        ({"ipv6_addresses": []}, "has 0% of the IPv6 addresses"),
    ],
)
def test_a_list_that_no_edge_has_is_refused_and_taken_by_force(file, public, change, words):
    before = file.read_bytes()
    with list_server(answer({**public, **change})) as server:
        with pytest.raises(ListRefused) as caught:
            update(file, server.url)
        assert words in str(caught.value)
        assert file.read_bytes() == before
        update(file, server.url, force=True)
    assert file.read_bytes() != before


def test_a_port_where_nobody_listens_is_named(unharmed):
    with pytest.raises(ListRefused, match="could not be fetched"):
        update(unharmed, f"http://{HOST}:{free_port()}/")


@pytest.mark.parametrize(
    "url",
    ["http://lists.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "", "https://", "//x/"],
)
def test_a_url_that_anybody_on_the_way_could_answer_is_refused(unharmed, url):
    with pytest.raises(ConfigurationError, match="write https://"):
        update(unharmed, url)


def test_a_file_that_cannot_be_used_is_replaced_by_force_alone(file, public):
    file.write_text("{half")
    with list_server(answer(public)) as server:
        with pytest.raises(ConfigurationError, match="--force replaces it"):
            update(file, server.url)
        assert file.read_text() == "{half"
        update(file, server.url, force=True)
    assert json.loads(file.read_text())["addresses"] == public["addresses"]


def run(argv, file, url, **options):
    """The command as a program; on what a disk or a folder refuses it ends with status 2."""
    command = [sys.executable, "-m", "edgeauth", "addresses", "update", "--file", file]
    return subprocess.run(
        [*argv, *command, "--url", url],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_an_update_needs_no_package_but_edgeauth_and_those_it_asks_for(file, public):
    script = (
        "import sys; sys.modules['httpx'] = sys.modules['requests'] = None\n"
        "from edgeauth.ops.cli import main; main(sys.argv[1:])"
    )
    with list_server(answer(public)) as server:
        arguments = ("addresses", "update", "--file", file, "--url", server.url)
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no change: 5 networks")


def test_a_full_disk_leaves_the_old_file(tmp_path, public):
    """A file system of 16 KiB, full but for nothing, in a mount namespace of its own."""
    unshare = program("unshare", package="util-linux")
    folder = tmp_path / "full"
    folder.mkdir()
    old = json.dumps(public)
    script = (
        'mount -t tmpfs -o size=16k tmpfs "$1" || exit 99\n'
        'printf %s "$2" > "$1/edge.json"\n'
        'dd if=/dev/zero of="$1/filler" bs=4k status=none\n'
        'shift 2; "$@"; status=$?\n'
        f'cat {folder}/edge.json; ls -A {folder} | tr "\\n" " "; exit $status\n'
    )
    with list_server(answer(public)) as server:
        maps = [] if os.geteuid() == 0 else ["--map-root-user"]
        done = run(
            [unshare, *maps, "--mount", "/bin/sh", "-c", script, "sh", folder, old],
            folder / "edge.json",
            server.url,
        )
    if done.returncode == 99:
        pytest.skip("this machine lets nobody mount a file system")
    assert done.returncode == 2
    assert "No space left on device; what was there is as it was" in done.stderr
    assert done.stdout == old + "edge.json filler "


def test_a_disk_that_fails_halfway_leaves_the_old_file(unharmed, public):
    with list_server(answer(public)) as server:
        done = run(
            [],
            unharmed,
            server.url,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        )
    assert done.returncode == 2
    assert "File too large; what was there is as it was" in done.stderr


def test_a_folder_without_permission_leaves_the_old_file(unharmed, public):
    # Root may write anywhere until it gives that up.
    drop = "--bounding-set=-dac_override,-dac_read_search"
    argv = [program("setpriv", package="util-linux"), drop] if os.geteuid() == 0 else []
    unharmed.parent.chmod(0o555)
    try:
        with list_server(answer(public)) as server:
            done = run(argv, unharmed, server.url)
    finally:
        unharmed.parent.chmod(0o755)
    assert done.returncode == 2
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_update_leaves_the_old_file_or_the_new_one(file, public):
    public["addresses"].append("146.75.0.0/17")
    with list_server(answer(public)) as server:
        for _ in range(5):
            asked = len(server.requests)
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "edgeauth",
                    "addresses",
                    "update",
                    "--file",
                    str(file),
                    "--url",
                    server.url,
                ],
                stdout=subprocess.DEVNULL,
            )
            wait_until(lambda n=asked: len(server.requests) > n, what="a request")
            process.kill()
            process.wait()
            assert len(json.loads(file.read_text())["addresses"]) in (3, 4)
