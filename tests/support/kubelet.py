"""What the kubelet and a container runtime add to a manifest, made by hand."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECCOMP = Path("/usr/share/containers/seccomp.json")


class Volume:
    """The folder of a ConfigMap or a Secret as the kubelet's atomic writer lays it."""

    def __init__(self, folder: Path, files: Mapping[str, str], *, mode: int, group: int) -> None:
        self.folder, self._mode, self._group = folder, mode, group
        folder.mkdir()
        folder.chmod(0o1777)
        self.write(files)

    def write(self, files: Mapping[str, str]) -> None:
        """Other *files*: in a folder of their own, to which ``..data`` is swapped in one step."""
        made = Path(tempfile.mkdtemp(prefix="..2026_11_27_", dir=self.folder))
        for name, text in files.items():
            (made / name).write_text(text)
            # With an fsGroup, its members may read whatever the mode says.
            (made / name).chmod(self._mode | 0o440)
            os.chown(made / name, 0, self._group)
        os.chown(made, 0, self._group)
        made.chmod(0o2755)
        data, new = self.folder / "..data", self.folder / "..data_tmp"
        old = data.resolve() if data.is_symlink() else None
        new.symlink_to(made.name)
        new.rename(data)
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if old:
            for gone in {file.name for file in old.iterdir()} - set(files):
                (self.folder / gone).unlink()
            shutil.rmtree(old)


def service_links(service: dict[str, Any]) -> dict[str, str]:
    """The variables by which Kubernetes tells pods of *service*, unless they do not want them."""
    name, address = service["metadata"]["name"].upper().replace("-", "_"), "10.96.0.7"
    ports = service["spec"]["ports"]
    found = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(ports[0]["port"])}
    found[f"{name}_PORT"] = f"tcp://{address}:{ports[0]['port']}"
    for port in ports:
        number, base = str(port["port"]), f"{name}_PORT_{port['port']}_TCP"
        found |= {
            f"{name}_SERVICE_PORT_{port['name'].upper()}": number,
            base: f"tcp://{address}:{number}",
            f"{base}_PROTO": "tcp",
            f"{base}_PORT": number,
            f"{base}_ADDR": address,
        }
    return found


def default_seccomp() -> dict[str, Any]:
    """The default profile of container engines, for a process without capabilities."""
    profile = json.loads(_SECCOMP.read_text())
    here = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    rules = [
        {name: rule[name] for name in ("names", "action", "args", "errnoRet") if rule.get(name)}
        for rule in profile["syscalls"]
        if not rule["includes"].get("caps") and here in rule["includes"].get("arches", [here])
    ]
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "syscalls": rules,
    }


def image_config(layout: Path) -> dict[str, Any]:
    """The configuration of the one image in an OCI *layout*."""

    def blob(digest: str) -> dict[str, Any]:
        return json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())

    [image] = json.loads((layout / "index.json").read_text())["manifests"]
    return blob(blob(image["digest"])["config"]["digest"])["config"]
