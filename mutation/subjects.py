"""The files that are mutated, all of the trust base, and the tests that are to see it."""

from __future__ import annotations

_HOSTILE = "properties/test_hostile_bytes.py"
_CONFIGURED = "properties/test_configuration.py"
_WATCHED = "unit/reload/test_watched_policy.py"
_DECISION_FILE = "unit/record/test_decision_file.py"
_NAMES = "unit/test_adapter_names.py"
_METRICS, _TELEMETRY = "unit/test_metrics.py", "unit/test_telemetry.py"

# The tests of a file, the nearest first: the run of a mutant ends with the first that fails.
# What a test starts in a process of its own is without the mutant.
_SCHEMES = (
    "unit/schemes/test_edge_auth.py",
    "unit/schemes/test_shared_secret.py",
    "unit/test_guard.py",
    "unit/test_recall.py",
    _HOSTILE,
)
_KIND = (
    "unit/schemes/test_registry.py",
    "unit/settings/test_settings.py",
    "unit/clients/test_signer.py",
)
_GUARD = (
    "unit/test_guard.py",
    "unit/test_once.py",
    "unit/test_boundary.py",
    "unit/test_inner_gates.py",
    "unit/test_mount_points.py",
    "unit/test_recall.py",
    "unit/test_passes.py",
    _DECISION_FILE,
    _WATCHED,
    "unit/record/test_list_age.py",
    _HOSTILE,
    "unit/test_observers.py",
)
_CLOUD_KEYS = (
    "unit/schemes/test_signed_parts.py",
    "unit/schemes/test_azure_shared_key.py",
    "unit/schemes/test_alibaba_oss.py",
    "unit/schemes/test_cloud_key_rows.py",
    "properties/test_cloud_keys.py",
)
_DJANGO = (
    "unit/django/test_middleware.py",
    "unit/django/test_once.py",
    "unit/django/test_has_gate.py",
    "unit/django/test_uploads.py",
    "unit/django/test_doctor.py",
    _NAMES,
)
_ASGI = (
    "unit/test_asgi.py",
    "unit/test_request_views.py",
    "unit/test_handshake.py",
    "unit/test_body.py",
    "unit/test_digested_bodies.py",
    "unit/test_inner_gates.py",
    "unit/test_mount_points.py",
    "unit/test_waiting_adapters.py",
    "unit/test_mounted_apps.py",
    "unit/test_starlette.py",
    "unit/test_company.py",
)
_SETTINGS = (
    "unit/settings/test_settings.py",
    "unit/settings/test_several_schemes.py",
    "unit/django/test_checks.py",
    _CONFIGURED,
)

SUBJECTS = {
    # The proof.
    "errors.py": (
        "unit/test_errors.py",
        "unit/schemes/test_edge_auth.py",
        "unit/record/test_decision_log.py",
        "unit/test_guard.py",
    ),
    "request.py": (
        "unit/test_handshake.py",
        "unit/test_wsgi.py",
        "unit/test_asgi.py",
        "unit/test_request_views.py",
    ),
    "verdict.py": (
        "unit/test_verdict.py",
        "unit/test_starlette.py",
        "unit/test_coverage.py",
        "unit/test_guard.py",
        "unit/test_passes.py",
    ),
    "reasons.py": ("unit/test_reasons.py", "unit/test_errors.py", "unit/test_guard.py"),
    "keys.py": (
        "unit/test_keys.py",
        "unit/test_passes.py",
        "unit/settings/test_settings.py",
        _WATCHED,
        _CONFIGURED,
    ),
    "schemes/base.py": (
        "unit/schemes/test_seam.py",
        "unit/schemes/test_recall_of.py",
        "unit/schemes/test_any_of.py",
        *_SCHEMES,
    ),
    **{
        f"schemes/edge_auth/{name}.py": (*_SCHEMES, *_KIND)
        for name in ("grammar", "signing", "verification")
    },
    "schemes/shared_secret.py": (*_SCHEMES[1:3], *_KIND),
    "schemes/azure_front_door.py": ("unit/schemes/test_azure_front_door.py",),
    "schemes/client_certificate.py": ("unit/schemes/test_client_certificate.py",),
    "schemes/needs.py": (
        "unit/schemes/test_azure_front_door.py",
        "unit/schemes/test_client_certificate.py",
    ),
    "schemes/options.py": (
        "unit/schemes/test_options.py",
        "unit/schemes/test_registry.py",
        "unit/schemes/test_edge_auth.py",
        *_SETTINGS,
    ),
    "schemes/registry.py": ("unit/schemes/test_registry.py", "unit/settings/test_settings.py"),
    "schemes/any_of.py": (
        "unit/schemes/test_any_of.py",
        "unit/settings/test_several_schemes.py",
        "unit/test_recall.py",
    ),
    "key_files.py": ("unit/test_keys.py", "unit/settings/test_settings.py", _WATCHED),
    "text_files.py": ("unit/test_keys.py", "unit/test_passes.py", "unit/settings/test_settings.py"),
    "networks.py": ("unit/test_addresses.py", _CONFIGURED),
    "address_files.py": (
        "unit/test_address_forms.py",
        "unit/test_addresses.py",
        "unit/record/test_list_age.py",
        _CONFIGURED,
    ),
    "public_keys.py": ("unit/test_public_keys.py", "unit/test_message_signatures.py"),
    "private_keys.py": ("unit/test_public_keys.py", "unit/test_message_signatures.py"),
    "named_key.py": ("unit/test_keys.py", "unit/test_public_keys.py", "unit/test_passes.py"),
    **{
        f"schemes/message_signatures/{name}.py": (
            "unit/test_message_signatures.py",
            "unit/test_message_signer.py",
            "unit/test_signature_components.py",
            "unit/test_message_signature_errors.py",
            "unit/schemes/test_message_signature_settings.py",
            "unit/schemes/test_registry.py",
            "unit/test_public_keys.py",
            "properties/test_message_signatures.py",
        )
        for name in (
            *("base", "body", "components", "fields"),
            *("form", "grammar", "sign", "verify"),
        )
    },
    "schemes/message_signatures/arguments.py": (
        "unit/schemes/test_message_signature_settings.py",
        "unit/schemes/test_registry.py",
        "unit/test_message_signature_errors.py",
        "unit/test_message_signatures.py",
        "unit/test_message_signer.py",
    ),
    **{
        f"schemes/akamai_g2o/{name}.py": (
            "unit/schemes/test_akamai_g2o.py",
            "unit/schemes/test_akamai_g2o_settings.py",
            "properties/test_akamai_g2o.py",
        )
        for name in ("arguments", "claims", "digests", "sign_string", "verify")
    },
    "schemes/sent.py": (
        "unit/schemes/test_akamai_g2o_settings.py",
        "unit/schemes/test_akamai_g2o.py",
    ),
    **{
        f"schemes/signed_token/{name}.py": (
            "unit/schemes/test_signed_token_settings.py",
            "unit/schemes/test_signed_token.py",
            "unit/schemes/test_signed_token_claims.py",
            "properties/test_signed_tokens.py",
        )
        for name in ("algorithms", "arguments", "jwks", "rules", "sign", "token", "verify")
    },
    "schemes/azure_shared_key.py": _CLOUD_KEYS,
    "schemes/signed_parts.py": _CLOUD_KEYS,
    **{f"schemes/alibaba_oss/{name}.py": _CLOUD_KEYS for name in ("scheme", "strings")},
    **{
        f"schemes/aws_sigv4/{name}.py": (
            "unit/schemes/test_aws_sigv4.py",
            "properties/test_aws_sigv4.py",
            "unit/settings/test_sigv4_settings.py",
        )
        for name in ("arguments", "canonical", "given", "grammar", "sign", "verify")
    },
    "exemptions.py": (
        "unit/test_mount_points.py",
        "unit/test_guard.py",
        "unit/test_mounted_apps.py",
        "unit/settings/test_settings.py",
        _HOSTILE,
    ),
    "passes.py": (
        "unit/test_passes.py",
        "unit/test_mount_points.py",
        _WATCHED,
        "unit/settings/test_settings.py",
    ),
    "addresses.py": (
        "unit/test_addresses.py",
        "unit/test_address_forms.py",
        "unit/record/test_list_age.py",
        _CONFIGURED,
    ),
    "forwarded.py": (
        "unit/test_forwarded.py",
        "unit/test_guard.py",
        "unit/test_passes.py",
        _DECISION_FILE,
        _HOSTILE,
    ),
    "outer.py": ("unit/test_inner_gates.py", "unit/django/test_middleware.py"),
    "policy.py": (
        "unit/test_policy.py",
        _WATCHED,
        "unit/test_guard.py",
        "unit/test_recall.py",
        "unit/test_boundary.py",
    ),
    "steps.py": _GUARD,
    "observers.py": ("unit/test_observers.py", "unit/test_boundary.py", _DECISION_FILE),
    "admission.py": ("unit/test_once.py", "unit/test_inner_gates.py"),
    "guard_facts.py": _GUARD,
    "guard.py": _GUARD,
    "digest.py": (
        "unit/test_digest.py",
        "unit/test_digested_bodies.py",
        "unit/django/test_digested_bodies.py",
    ),
    "coverage.py": ("unit/test_coverage.py", "unit/test_starlette.py"),
    # The plumbing.
    "settings/guard_settings.py": (
        *_SETTINGS,
        "unit/settings/test_guard_settings.py",
        "unit/settings/test_replay_settings.py",
        "unit/test_guard.py",
        "unit/test_flask.py",
    ),
    "settings/schema.py": ("unit/settings/test_schema.py", "unit/settings/test_settings.py"),
    "settings/table.py": (
        "unit/settings/test_schema.py",
        "unit/settings/test_settings.py",
        "unit/settings/test_several_schemes.py",
    ),
    "settings/sources.py": (
        "unit/settings/test_settings.py",
        "unit/settings/test_several_schemes.py",
        "unit/settings/test_guard_settings.py",
        "unit/settings/test_injected.py",
    ),
    **{
        f"settings/{name}.py": (
            "unit/settings/test_scheme_settings.py",
            "unit/settings/test_settings.py",
            "unit/settings/test_several_schemes.py",
            "unit/settings/test_guard_settings.py",
            "unit/schemes/test_registry.py",
            "unit/settings/test_cdns.py",
            _CONFIGURED,
        )
        for name in ("reading", "scheme")
    },
    "settings/parts.py": (
        "unit/settings/test_settings.py",
        "unit/settings/test_several_schemes.py",
        "unit/settings/test_guard_settings.py",
        "unit/schemes/test_message_signature_settings.py",
        "unit/test_passes.py",
    ),
    "settings/cdns.py": (
        "unit/settings/test_cdn_table.py",
        "unit/settings/test_cdns.py",
        "unit/settings/test_settings.py",
    ),
    "settings/guessable.py": (
        "unit/settings/test_guessable_words.py",
        "unit/settings/test_guessable.py",
    ),
    "settings/injected.py": ("unit/settings/test_injected.py", "unit/settings/test_settings.py"),
    "_record/append.py": ("unit/record/test_append.py",),
    "_record/decision_file.py": (
        "unit/record/test_decision_lines.py",
        _DECISION_FILE,
        "unit/test_boundary.py",
        "unit/test_recall.py",
    ),
    "_record/decision_log.py": (
        "unit/record/test_decision_log.py",
        "unit/test_passes.py",
        "unit/test_mount_points.py",
        "unit/test_boundary.py",
    ),
    "_record/list_age.py": ("unit/record/test_list_age.py", _WATCHED, "unit/test_boundary.py"),
    "_record/logger.py": ("unit/record/test_logger.py", "unit/record/test_decision_log.py"),
    "_record/metric_names.py": ("unit/record/test_metric_names.py",),
    "_record/families.py": ("unit/record/test_families.py",),
    "_record/cells.py": (_METRICS,),
    "metrics.py": (_METRICS,),
    "telemetry.py": (_TELEMETRY, _METRICS),
    "logs.py": ("unit/test_logs.py", "unit/test_applications_page.py", _METRICS),
    "replay/breaker.py": ("unit/replay/test_breaker.py",),
    "replay/memory.py": ("unit/replay/test_memory.py", "unit/replay/test_every_store.py"),
    "replay/sqlite.py": (
        "unit/replay/test_sqlite_parts.py",
        "unit/replay/test_sqlite_losses.py",
    ),
    "replay/redis.py": (
        "unit/replay/test_redis_words.py",
        "unit/replay/test_redis_clients.py",
    ),
    "replay/__init__.py": (
        "unit/replay/test_open_store.py",
        "unit/settings/test_replay_settings.py",
    ),
    "replay/base.py": ("unit/replay/test_base.py",),
    "replay/sqlite_file.py": (
        "unit/replay/test_sqlite_file.py",
        "unit/replay/test_sqlite.py",
    ),
    "_reload/ahead.py": ("unit/reload/test_ahead.py",),
    "_reload/watched_file.py": (
        "unit/reload/test_watched_file.py",
        _WATCHED,
        "unit/reload/test_ahead.py",
        "unit/test_recall.py",
    ),
    "_reload/watched_policy.py": ("unit/reload/test_policy_parts.py",),
    "dry_run.py": ("unit/test_dry_run.py", "unit/django/test_checks.py"),
    "posix.py": ("unit/test_posix.py",),
    "build.py": (
        "unit/test_build.py",
        _WATCHED,
        "unit/test_inner_gates.py",
        "unit/test_observers.py",
        "unit/settings/test_replay_settings.py",
        _DECISION_FILE,
        _METRICS,
    ),
    # The adapters.
    "asgi.py": (_NAMES, *_ASGI, "unit/test_recall.py"),
    "scope.py": _ASGI,
    "wsgi.py": (
        "unit/test_wsgi.py",
        "unit/test_request_views.py",
        "unit/test_handshake.py",
        "unit/test_body.py",
        "unit/test_digested_bodies.py",
        "unit/test_inner_gates.py",
        "unit/test_mounted_apps.py",
        "unit/test_flask.py",
        _NAMES,
    ),
    "asgi_body.py": ("unit/test_digested_bodies.py",),
    "wsgi_body.py": ("unit/test_digested_bodies.py",),
    "body.py": ("unit/test_body.py", "unit/django/test_uploads.py", "unit/test_company.py"),
    "flask.py": (
        "unit/test_flask.py",
        "unit/test_coverage.py",
        "unit/settings/test_settings.py",
        _NAMES,
    ),
    "starlette.py": ("unit/test_starlette.py", "unit/test_coverage.py"),
    "django/apps.py": ("unit/django/test_checks.py",),
    "django/has_gate.py": ("unit/django/test_has_gate.py", "unit/django/test_checks.py"),
    "django/asgi.py": _DJANGO[2:],
    "django/checks.py": ("unit/django/test_checks.py",),
    "django/conf.py": (*_DJANGO, "unit/django/test_checks.py"),
    "django/body.py": ("unit/django/test_digested_bodies.py",),
    "django/coverage.py": ("unit/django/test_coverage.py", _NAMES),
    "django/middleware.py": (*_DJANGO, "unit/django/test_digested_bodies.py"),
    "django/requests.py": _DJANGO,
    "django/wsgi.py": (*_DJANGO[2:], "unit/django/test_digested_bodies.py"),
}
