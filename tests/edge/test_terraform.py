"""The Terraform files: parsed, formatted, and naming the VCL that falco lints."""

from __future__ import annotations

import re
import shutil
import subprocess

import hcl2
import pytest
from support import edge_tools

TERRAFORM = edge_tools.FASTLY / "terraform"


@pytest.mark.parametrize("file", sorted(TERRAFORM.glob("*.tf")), ids=lambda file: file.name)
def test_the_file_parses(file):
    assert hcl2.loads(file.read_text())


def test_each_vcl_file_that_is_named_exists_and_each_snippet_is_named():
    named = re.findall(r'"\$\{path\.module\}/([^"]+)"', (TERRAFORM / "main.tf").read_text())
    files = {(TERRAFORM / name).resolve() for name in named}
    vcl = edge_tools.FASTLY / "vcl"
    assert files == {
        vcl / "edgeauth.vcl",
        vcl / "message_signatures.vcl",
        *(vcl / "snippets").iterdir(),
    }


@pytest.mark.parametrize("file", ["edgeauth.vcl", "message_signatures.vcl"])
def test_the_dictionary_is_the_one_that_the_vcl_reads(file):
    text = (edge_tools.FASTLY / "vcl" / file).read_text()
    declared = re.search(r"parameter dictionary = (\S+)", text)
    service = (TERRAFORM / "main.tf").read_text()
    assert re.search(rf'dictionary {{\n    name       = "{declared[1]}"', service)


def test_the_formatter_has_nothing_to_change():
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not installed")
    argv = [terraform, "fmt", "-check", "-diff", TERRAFORM]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
