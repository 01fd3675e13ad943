"""The Flask extension."""

from __future__ import annotations

import pytest
from flask import Flask, g, request
from flask.views import MethodView
from support.vectors import OLDER_SECRET, SECRET
from werkzeug.middleware.proxy_fix import ProxyFix

from edgeauth import ConfigurationError, EdgeIdentity, Guard, sign
from edgeauth.flask import EdgeAuth, demand_coverage

GUARD = {"secret": SECRET, "exempt": ["GET /healthz"]}


def flask_app(config=GUARD, name="shop"):
    app = Flask(name, static_folder=None)
    app.config["EDGEAUTH"] = config

    @app.get("/")
    def index():
        identity = g.edgeauth.identity
        return {"pop": identity and identity.pop, "seen": "Edge-Auth" in request.headers}

    @app.get("/healthz")
    def healthz():
        return g.edgeauth.reason

    return app


def headers(secret=SECRET):
    return {"Edge-Auth": sign(secret, pop="LHR")}


def test_a_signed_request_reaches_the_view_with_its_verdict_and_without_its_credential():
    app = flask_app()
    EdgeAuth(app)
    response = app.test_client().get("/", headers=headers())
    assert response.json == {"pop": "LHR", "seen": False}


def test_an_unsigned_request_is_denied():
    app = flask_app()
    EdgeAuth(app)
    response = app.test_client().get("/")
    assert (response.status_code, response.data) == (403, b"Forbidden\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_an_exempt_path_needs_no_credential():
    app = flask_app()
    EdgeAuth(app)
    assert app.test_client().get("/healthz").text == "exempt"


def test_an_unknown_path_is_denied_and_not_404():
    app = flask_app()
    EdgeAuth(app)
    assert app.test_client().get("/nothing-here").status_code == 403


def test_a_static_file_is_behind_the_gate(tmp_path):
    (tmp_path / "app.js").write_text("1")
    app = Flask("shop", static_folder=tmp_path, static_url_path="/static")
    EdgeAuth(app, Guard.from_settings(GUARD))
    assert app.test_client().get("/static/app.js").status_code == 403
    with app.test_client().get("/static/app.js", headers=headers()) as response:
        assert response.text == "1"


def test_wsgi_middleware_that_is_already_there_is_behind_the_gate():
    app = flask_app()

    def answers_by_itself(_environ, start_response):
        start_response("200 OK", [])
        return [b"from the inside"]

    app.wsgi_app = answers_by_itself
    EdgeAuth(app)
    assert app.test_client().get("/").status_code == 403
    assert app.test_client().get("/", headers=headers()).data == b"from the inside"


def test_the_verdict_is_there_for_before_request_functions_that_are_older_than_the_gate():
    app = flask_app()
    seen = []
    app.before_request(lambda: seen.append(g.edgeauth.identity))
    EdgeAuth(app)
    app.test_client().get("/", headers=headers())
    assert [type(identity) for identity in seen] == [EdgeIdentity]


def test_a_guard_that_is_given_comes_before_the_config():
    app = flask_app({"secret": OLDER_SECRET})
    EdgeAuth(app, Guard.from_settings(GUARD))
    assert app.test_client().get("/", headers=headers(SECRET)).status_code == 200


def test_settings_come_from_the_environment_where_the_config_has_none(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    app = Flask("shop")
    EdgeAuth(app)
    assert app.test_client().get("/").status_code == 403
    assert app.test_client().get("/", headers=headers()).status_code == 404


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (None, "no secret"),
        ({}, "no secret"),
        ({"secret": "short"}, "16"),
        ({"secret": SECRET, "exemt": []}, "did you mean 'exempt'"),
        (["secret"], "write a mapping"),
    ],
)
def test_settings_that_make_no_guard_are_an_error_that_leaves_the_app_as_it_was(config, told):
    app = flask_app(config)
    before = app.wsgi_app
    with pytest.raises(ConfigurationError, match=told):
        EdgeAuth(app)
    assert (app.wsgi_app, app.extensions) == (before, {})


def test_a_second_gate_on_one_app_is_an_error():
    app = flask_app()
    extension = EdgeAuth(app)
    with pytest.raises(ConfigurationError, match="shop has EdgeAuth already"):
        extension.init_app(app)
    with pytest.raises(ConfigurationError, match="shop has EdgeAuth already"):
        EdgeAuth(app)


def test_one_extension_serves_several_apps_each_with_its_own_settings():
    extension = EdgeAuth()
    shop = flask_app({"secret": SECRET}, name="shop")
    blog = flask_app({"secret": OLDER_SECRET}, name="blog")
    extension.init_app(shop)
    extension.init_app(blog)
    statuses = [
        app.test_client().get("/", headers=headers(secret)).status_code
        for app in (shop, blog)
        for secret in (SECRET, OLDER_SECRET)
    ]
    assert statuses == [200, 403, 403, 200]


def test_a_gate_that_was_taken_off_afterwards_is_an_error_and_no_open_door():
    app = flask_app()
    inner = app.wsgi_app
    EdgeAuth(app)
    app.wsgi_app = inner
    app.testing = True
    with pytest.raises(ConfigurationError, match="did not pass the gate"):
        app.test_client().get("/")


def test_report_only_lets_an_unsigned_request_pass_and_marks_it():
    app = flask_app({"secret": SECRET, "mode": "report-only"})
    EdgeAuth(app)
    assert app.test_client().get("/").json == {"pop": None, "seen": False}


def moved(app, script_name, path):
    """The answer to a GET without a credential, where a server says where the app is mounted."""
    return app.test_client().get(path, environ_overrides={"SCRIPT_NAME": script_name})


def test_the_root_of_an_app_counts_for_that_app_alone():
    guard = Guard.from_settings({"secret": SECRET, "exempt": ["GET /shop/healthz"]})
    shop, blog = flask_app(name="shop"), flask_app(name="blog")
    shop.config["APPLICATION_ROOT"] = "/shop"
    extension = EdgeAuth(guard=guard)
    extension.init_app(shop)
    extension.init_app(blog)

    assert moved(shop, "/shop", "/healthz").text == "exempt"
    assert moved(shop, "/shop/healthz", "/").status_code == 403
    assert moved(blog, "/shop", "/healthz").status_code == 403


@pytest.mark.parametrize(("root", "mount"), [("/shop/", "/shop"), ("/X", "/X")])
def test_a_slash_at_the_end_of_the_root_of_an_app_does_not_matter(root, mount):
    app = flask_app({"secret": SECRET, "exempt": [f"GET {mount}/healthz"]})
    app.config["APPLICATION_ROOT"] = root
    EdgeAuth(app)

    assert moved(app, mount, "/healthz").text == "exempt"


def test_an_app_has_its_extension_and_another_app_has_none_of_it():
    app, other = flask_app(), Flask("other")
    extension = EdgeAuth(app)
    other.add_url_rule("/", view_func=lambda: "page")

    assert app.extensions["edgeauth"] is extension
    assert other.test_client().get("/").text == "page"


def test_a_view_that_demands_a_coverage_is_called_as_it_would_be_alone():
    app = flask_app()

    class Pay(MethodView):
        @demand_coverage("time")
        def get(self, number):
            return f"{type(self).__name__} {number}"

    app.add_url_rule("/pay/<int:number>", view_func=Pay.as_view("pay"))
    EdgeAuth(app)
    assert app.test_client().get("/pay/7", headers=headers()).text == "Pay 7"


def test_a_prefix_that_a_header_claims_opens_nothing():
    app = flask_app({"secret": SECRET, "exempt": ["GET /healthz/", "GET /healthz"]})
    EdgeAuth(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    client = app.test_client()

    assert client.get("/", headers={"X-Forwarded-Prefix": "/healthz"}).status_code == 403
    assert client.get("/healthz").text == "exempt"
    signed = {"X-Forwarded-Prefix": "/healthz", **headers()}
    assert client.get("/", headers=signed).json["pop"] == "LHR"
