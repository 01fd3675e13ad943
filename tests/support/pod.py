"""A pod of a manifest, run as a node runs it: by a container runtime, from the image, confined.

What the kubelet and containerd make of the manifest is made here of it by hand: the folders of
the volumes with the link ``..data`` that a change is swapped by, the mounts, the environment, the
user, and the probes. The runtime (runc), the image and the kernel are the real ones.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import platform
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.edge_tools import TOOLS
from support.kubelet import Volume, default_seccomp, image_config, service_links
from support.processes import wait_until
from support.programs import missing, program
from support.wire import Answer, answers, converse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IMAGE = TOOLS / "image"
ADDRESS = "10.244.0.7"
ELSEWHERE = "192.0.2.9"

_CLONE_NEWNET = 0x4000_0000


def require_runtime() -> None:
    """End the test where no container can be run.

    The image is of Debian 12 and is built there alone, so elsewhere nobody is told off.
    """
    release: dict[str, str] = {}
    with suppress(OSError):
        release = platform.freedesktop_os_release()
    if release.get("VERSION_CODENAME") != "bookworm":
        pytest.skip("the image is built on Debian 12")
    program("runc")
    if os.geteuid() != 0:
        missing("containers are run by root here")
    if not (IMAGE / "made-of").exists():
        missing(f"{IMAGE} is missing: make kubernetes-tools")


class Pod:
    """A running pod of one container.

    Args:
        documents: the rendered manifests: one Deployment, and the ConfigMaps that it names.
        secrets: by name, what each Secret holds.
        folder: an empty one.
    """

    def __init__(
        self,
        documents: list[dict[str, Any]],
        secrets: Mapping[str, Mapping[str, str]],
        folder: Path,
    ) -> None:
        [deployment] = [one for one in documents if one["kind"] == "Deployment"]
        self.spec = deployment["spec"]["template"]["spec"]
        links = self.spec.get("enableServiceLinks", True)
        services = [one for one in documents if one["kind"] == "Service" and links]
        [self.container] = self.spec["containers"]
        self.folder, self.log = folder, folder / "log"
        self._secrets, self._name = secrets, folder.name
        maps = {one["metadata"]["name"]: one for one in documents if one["kind"] == "ConfigMap"}
        self.volumes = {
            volume["name"]: self._volume(volume, maps) for volume in self.spec["volumes"]
        }
        bundle = folder / "bundle"
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(self._config(services)))
        self.process: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def start(self) -> None:
        """Runs the container, in a network of its own with an address."""
        self._mount_root(self.folder / "root")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._runc, "run", "--bundle", self.folder / "bundle", self._name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: self._state().get("status") == "running", what="the container")
        self.pid = self._state()["pid"]
        ip = program("ip", package="iproute2")
        self.run_inside(ip, "link", "set", "lo", "up")
        for address in (ADDRESS, ELSEWHERE):
            self.run_inside(ip, "address", "add", f"{address}/32", "dev", "lo")

    @property
    def _runc(self) -> list[str]:
        return [program("runc"), "--root", f"{self.folder}/runc"]

    def _state(self) -> dict[str, Any]:
        self.require_life()
        done = subprocess.run([*self._runc, "state", self._name], capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def require_life(self) -> None:
        """AssertionError, with what it logged, if it is not running."""
        assert self.process, "it was not started"
        assert self.process.poll() is None, self.log.read_text()

    def _mount_root(self, root: Path) -> None:
        """The image with a layer above it, in which the runtime makes the places of mounts."""
        layers = [self.folder / name for name in ("upper", "work")]
        for place in (root, *layers):
            place.mkdir()
        lower = IMAGE / "bundle" / "rootfs"
        options = f"lowerdir={lower},upperdir={layers[0]},workdir={layers[1]}"
        subprocess.run(
            [program("mount"), "-t", "overlay", "-o", options, "overlay", root], check=True
        )

    def _volume(self, volume: dict[str, Any], maps: dict[str, Any]) -> Path | Volume:
        group = self.spec["securityContext"]["fsGroup"]
        folder = self.folder / volume["name"]
        if "emptyDir" in volume:
            folder.mkdir()
            os.chown(folder, 0, group)
            folder.chmod(0o2777)
            return folder
        if "configMap" in volume:
            source, files = volume["configMap"], maps[volume["configMap"]["name"]]["data"]
        else:
            source, files = volume["secret"], self._secrets[volume["secret"]["secretName"]]
        return Volume(folder, files, mode=source.get("defaultMode", 0o644), group=group)

    def _config(self, services: list[dict[str, Any]]) -> dict[str, Any]:
        """What the runtime is told, of the image's and the manifest's words."""
        config = json.loads((IMAGE / "bundle" / "config.json").read_text())
        image = image_config(IMAGE / "oci")
        pod, own = self.spec["securityContext"], self.container["securityContext"]
        assert own["capabilities"] == {"drop": ["ALL"]}
        config["root"] = {
            "path": str(self.folder / "root"),
            "readonly": own["readOnlyRootFilesystem"],
        }
        given = dict(item.split("=", 1) for item in image["Env"])
        for service in services:
            given |= service_links(service)
        given |= {one["name"]: self._value(one) for one in self.container.get("env", ())}
        command = self.container.get("command", image["Entrypoint"])
        config["process"] |= {
            "terminal": False,
            "args": command + self.container.get("args", image["Cmd"]),
            "env": [f"{name}={value}" for name, value in given.items()],
            "user": {
                "uid": pod["runAsUser"],
                "gid": pod["runAsGroup"],
                "additionalGids": [pod["fsGroup"]],
            },
            "capabilities": {},
            "noNewPrivileges": not own["allowPrivilegeEscalation"],
        }
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "cgroup"]
        for mount in self.container["volumeMounts"]:
            volume = self.volumes[mount["name"]]
            source = volume.folder if isinstance(volume, Volume) else volume
            config["mounts"].append(
                {
                    "destination": mount["mountPath"],
                    "type": "bind",
                    # What a subPath names is looked up now and never again.
                    "source": str((source / mount.get("subPath", ".")).resolve()),
                    "options": ["rbind", "ro" if mount.get("readOnly") else "rw"],
                }
            )
        kinds = ("pid", "ipc", "uts", "mount", "network")
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        config["linux"] |= {
            "namespaces": [{"type": kind} for kind in kinds],
            "seccomp": default_seccomp(),
            "resources": {"memory": {"limit": self.bytes_of("limits")}},
        }
        config["linux"].pop("uidMappings", None)
        config["linux"].pop("gidMappings", None)
        return config

    def _value(self, variable: dict[str, Any]) -> str:
        if "value" in variable:
            return variable["value"]
        source = variable["valueFrom"]["secretKeyRef"]
        return self._secrets[source["name"]][source["key"]]

    def bytes_of(self, which: str) -> int:
        """The memory that the container ``requests`` or that ``limits`` it."""
        text = self.container["resources"][which]["memory"]
        return int(text.removesuffix("Mi")) << 20

    def port(self, name: str) -> int:
        """The number of a port of the container."""
        [found] = [p["containerPort"] for p in self.container["ports"] if p["name"] == name]
        return found

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the image in the container, as ``kubectl exec`` does."""
        return subprocess.run(
            [*self._runc, "exec", self._name, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def inside(self, *command: str | Path) -> list[str | Path]:
        """The words that run a program of this machine in the network of the pod."""
        nsenter = program("nsenter", package="util-linux")
        return [nsenter, f"--net=/proc/{self.pid}/ns/net", *command]

    def run_inside(self, *command: str | Path) -> None:
        """Runs such a program to its end."""
        subprocess.run(self.inside(*command), check=True)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets of this thread are those of the pod's network until the block ends."""
        libc = ctypes.CDLL(None, use_errno=True)
        own, its = Path("/proc/thread-self/ns/net"), Path(f"/proc/{self.pid}/ns/net")
        with own.open() as here, its.open() as there:
            assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(here.fileno(), _CLONE_NEWNET) == 0

    def get(self, port: str, path: str) -> tuple[int, str]:
        """Status and body of GET *path* at a port of the pod, as the kubelet or Prometheus ask."""
        with self.network():
            connection = http.client.HTTPConnection(ADDRESS, self.port(port), timeout=10)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.read().decode()
            finally:
                connection.close()

    def probe(self, name: str) -> bool:
        """Whether ``readinessProbe`` or ``livenessProbe``, as it is declared, succeeds."""
        asked = self.container[name]["httpGet"]
        with suppress(OSError):
            return 200 <= self.get(asked["port"], asked["path"])[0] < 400
        return False

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            self.require_life()
            return self.probe("readinessProbe")

        wait_until(ready, what="readiness")

    def ask(self, sent: bytes, address: str = ADDRESS) -> Answer:
        """The answer to a question that comes from *address* and goes to it."""
        with self.network():
            received = converse((address, self.port("question")), sent)
        return answers(received, ["GET"])[0]

    def processes(self) -> list[Path]:
        """The folders in /proc of the service's processes."""
        found, new = [], [self.pid]
        while new:
            pid = new.pop()
            found.append(Path(f"/proc/{pid}"))
            new += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found

    def terminate(self) -> int:
        """SIGTERM to process 1, as after preStop; the exit status, 137 after the grace."""
        slept = self.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert self.process
        os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(self.spec["terminationGracePeriodSeconds"] - slept)
        except subprocess.TimeoutExpired:
            self.kill()
            return 137

    def end(self) -> None:
        """Kills what is left of it, and takes its root away."""
        self.kill()
        if (self.folder / "root").is_mount():
            subprocess.run([program("umount"), self.folder / "root"], check=True)

    def kill(self) -> None:
        """Ends it at once."""
        if self.process and self.process.poll() is None:
            subprocess.run([*self._runc, "kill", self._name, "KILL"], check=False)
            self.process.wait(10)
