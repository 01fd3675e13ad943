"""A Django view that demands a coverage answers only what is signed so far."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from support.vectors import SECRET

from edgeauth import ConfigurationError, sign
from edgeauth.django.coverage import demand_coverage
from edgeauth.django.middleware import EdgeAuthMiddleware

PAGE = (Path(__file__).parents[3] / "docs" / "message-signatures.md").read_text("utf-8")


def plain(*demanded):
    return demand_coverage(*demanded)(lambda _request: HttpResponse("paid"))


def asynchronous(*demanded):
    @demand_coverage(*demanded)
    async def pay(_request):
        return HttpResponse("paid")

    return pay


def of_a_class(*demanded):
    @method_decorator(demand_coverage(*demanded), name="dispatch")
    class Pay(View):
        def post(self, _request):
            return HttpResponse("paid")

    return Pay.as_view()


def of_an_async_class(*demanded):
    @method_decorator(demand_coverage(*demanded), name="dispatch")
    class Pay(View):
        async def post(self, _request):
            return HttpResponse("paid")

    return Pay.as_view()


VIEWS = [plain, asynchronous, of_a_class, of_an_async_class]


def ask(view, path="/pay", *, factory=RequestFactory, headers=None):
    """What *view* answers behind the gate."""
    fields = {"Edge-Auth": sign(SECRET, pop="LHR")} if headers is None else headers
    request = factory().post(path, headers=fields, content_type="text/plain", data="x")
    if asyncio.iscoroutinefunction(view):

        async def answered():
            return await EdgeAuthMiddleware(view)(request)

        return asyncio.run(answered())
    return EdgeAuthMiddleware(view)(request)


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
@pytest.mark.parametrize("view", VIEWS)
def test_what_is_not_covered_gets_the_denial_of_a_stranger(view, factory, caplog):
    answer = ask(view("path", "once"), factory=factory)
    stranger = ask(view("path", "once"), factory=factory, headers={})

    assert (answer.status_code, answer.content) == (403, b"Forbidden\n")
    assert answer.headers == stranger.headers
    assert ["does not cover: path, once" in text for text in caplog.messages] == [True, False]
    assert ask(view("time"), factory=factory).content == b"paid"


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_a_head_request_that_is_not_covered_gets_no_body(factory):
    assert plain("path")(behind(factory().head("/pay"))).content == b""
    assert plain("path")(behind(factory().get("/pay"))).content == b"Forbidden\n"


def behind(request):
    """The *request*, as the middleware hands it on."""
    request.META["HTTP_EDGE_AUTH"] = sign(SECRET, pop="LHR")
    if hasattr(request, "scope"):
        request.scope["headers"].append((b"edge-auth", sign(SECRET, pop="LHR").encode()))
    passed = []
    EdgeAuthMiddleware(lambda request: passed.append(request) or HttpResponse())(request)
    return passed[0]


def test_a_view_is_called_as_it_would_be_alone_and_keeps_its_name():
    @demand_coverage("time")
    def pay(request, number, *, currency):
        """Pays."""
        return HttpResponse(f"{request.path} {number} {currency}")

    @demand_coverage("time")
    async def apay(request, number, *, currency):
        """Pays."""
        return HttpResponse(f"{request.path} {number} {currency}")

    request = behind(RequestFactory().get("/pay"))
    assert pay(request, 7, currency="EUR").content == b"/pay 7 EUR"
    assert asyncio.run(apay(request, 7, currency="EUR")).content == b"/pay 7 EUR"
    assert (pay.__name__, apay.__name__, pay.__doc__, apay.__doc__) == (
        *("pay", "apay"),
        *("Pays.", "Pays."),
    )


def test_report_only_mode_tells_and_lets_in(project, caplog):
    project(EDGEAUTH={"secret": SECRET, "mode": "report-only"})

    assert ask(plain("path"), headers={}).content == b"paid"
    assert "reason='coverage'" in caplog.messages[-1]


def test_an_exempt_request_has_nothing_covered(project):
    project(EDGEAUTH={"secret": SECRET, "exempt": ["POST /pay"]})

    assert ask(plain("time"), headers={}).status_code == 403


def test_a_view_without_the_middleware_is_an_error():
    for factory in (RequestFactory, AsyncRequestFactory):
        with pytest.raises(ConfigurationError, match="nothing checked"):
            plain("time")(factory().post("/pay"))


def test_a_word_that_is_none_is_an_error_when_the_view_is_made():
    with pytest.raises(ConfigurationError, match="did you mean 'path'"):
        plain("paths")


def test_the_snippet_of_the_page_answers_nobody_who_signs_less(project):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (block,) = [found for found in blocks if "edgeauth.django.coverage" in found]
    names = {}
    exec(block, names)

    assert ask(names["pay"]).status_code == 403
    project(EDGEAUTH={"secret": SECRET, "mode": "report-only"})
    assert ask(names["pay"]).content == b"paid"
