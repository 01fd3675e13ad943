"""What a guard goes by, to be read and not to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from edgeauth.passes import HEADER as PASS_HEADER

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList
    from edgeauth.admission import Admission
    from edgeauth.exemptions import ExemptRoutes, MountPoints
    from edgeauth.observers import Observers
    from edgeauth.passes import Passes
    from edgeauth.policy import Policy
    from edgeauth.schemes.base import Scheme


class GuardSettings(Protocol):
    """What :class:`edgeauth.Settings` is to a guard, which knows none of what stands above it."""

    @property
    def mode(self) -> Literal["enforce", "report-only"]:
        """As of :class:`Guard`."""

    @property
    def exempt(self) -> tuple[str, ...]:
        """As of :class:`Guard`."""


class GuardFacts:
    """The part of a :class:`Guard` that tells of it."""

    _policy: Policy
    _mode: Literal["enforce", "report-only"]
    _strip_header: bool
    _mounts: MountPoints
    _exempt: ExemptRoutes
    _admission: Admission
    _observers: Observers

    @property
    def scheme(self) -> Scheme:
        """The scheme in force."""
        return self._policy.scheme

    @property
    def addresses(self) -> AddressList | None:
        """The address list in force, or None where addresses are not checked."""
        return self._policy.addresses

    @property
    def passes(self) -> Passes | None:
        """What verifies passes, or None where none is accepted."""
        return self._policy.passes

    @property
    def mode(self) -> Literal["enforce", "report-only"]:
        """Whether refusals are carried out; another mode is another guard."""
        return self._mode

    @property
    def strip_header(self) -> bool:
        """Whether adapters remove the credential before the application runs."""
        return self._strip_header

    @property
    def mount_points(self) -> tuple[str, ...]:
        """Where exempt paths, and paths of passes, count; sorted, ``/`` for the root."""
        return tuple(sorted(path or "/" for path in self._mounts.paths))

    @property
    def exempt(self) -> tuple[str, ...]:
        """The ``METHOD /exact/path`` entries that need no credential, sorted."""
        return tuple(sorted(f"{method} {path}" for method, path in self._exempt.entries))

    @property
    def lost_lines(self) -> int:
        """How many decisions could not be written to the file that takes them."""
        return self._observers.lost

    @property
    def stripped_headers(self) -> tuple[str, ...]:
        """The fields that an adapter must remove before the application runs."""
        if not self._strip_header:
            return ()
        return (*self.scheme.headers, *(() if self.passes is None else (PASS_HEADER,)))
