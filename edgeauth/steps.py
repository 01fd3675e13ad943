"""The steps of a decision that come before the scheme is asked.

A step is given the request, the policy and the time (Unix seconds). It decides, or says None and
leaves the request to the next one, or raises the VerificationError of a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeauth.errors import AddressNotAllowed, PassNotAccepted
from edgeauth.passes import HEADER as PASS_HEADER
from edgeauth.policy import Policy
from edgeauth.reasons import EXEMPT, PASS
from edgeauth.request import Request, route_method
from edgeauth.verdict import Pass, Verdict

if TYPE_CHECKING:
    from edgeauth.exemptions import ExemptRoutes, MountPoints
    from edgeauth.forwarded import TrustedProxies
    from edgeauth.observers import Observers

#: A verdict, and the pass that it is due to.
Decided = tuple[Verdict, Pass | None]
Step = Callable[[Request, Policy, float], Decided | None]

_EXEMPT: Decided = (Verdict(allowed=True, reason=EXEMPT.code), None)


def exemption(routes: ExemptRoutes) -> Step:
    """Lets in what needs no credential."""
    entries, at_mount = routes.entries, routes.mounts.hold
    # One look for the usual case.
    at_once = {(*entry, mount) for entry in entries for mount in routes.mounts.paths}

    def step(request: Request, _policy: Policy, _now: float) -> Decided | None:
        method, path = route_method(request), request.path
        if (method, path, request.mount) in at_once:
            return _EXEMPT
        return _EXEMPT if (method, path) in entries and at_mount(request) else None

    return step


def person_with_a_pass(mounts: MountPoints, observers: Observers) -> Step:
    """Lets in who has a pass.

    A visitor may send any header through the edge, so a pass that is not accepted must not stop
    a request that is signed.
    """

    def step(request: Request, policy: Policy, now: float) -> Decided | None:
        if policy.passes is None or not request.header(PASS_HEADER):
            return None
        try:
            found = policy.passes.verify(request, now=now, mounts=mounts)
        except PassNotAccepted as error:
            observers.pass_not_accepted(request, error, now)
            return None
        return Verdict(allowed=True, reason=PASS.code, holder=found.holder), found

    return step


def address(proxies: TrustedProxies) -> Step:
    """Refuses what comes from elsewhere than the edge."""

    def step(request: Request, policy: Policy, _now: float) -> None:
        client = proxies.client_address(request)
        if policy.addresses is None or client not in policy.addresses:
            raise AddressNotAllowed(f"{client!a} is not on the address list")

    return step


def configured_steps(
    policy: Policy, mounts: MountPoints, proxies: TrustedProxies, observers: Observers
) -> tuple[Step, ...]:
    """The steps between exemption and scheme, in their order: of each what is configured."""
    configured: list[Step] = []
    if policy.passes is not None:
        configured.append(person_with_a_pass(mounts, observers))
    if policy.addresses is not None:
        configured.append(address(proxies))
    return tuple(configured)
